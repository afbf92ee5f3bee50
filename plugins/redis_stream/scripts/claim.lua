-- Claims what waits for its time, earliest due first.
-- KEYS: stream, due, scheduled, later, expiry, claimed
-- ARGV: group, consumer, most entries, most bytes of their data (0: no limit), lease (ms) of claimers
--       that do not say theirs, 1 to look for the dead, beginning of the keys that are signs of life
-- Gives: how many it met that had ended, then four for each entry: its member of `claimed`, fields,
--        deliveries so far, due (ms)
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local claimed = KEYS[6]
local group, me = ARGV[1], ARGV[2]
local most, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('TYPE', stream).ok ~= 'stream' then return {0} end
local now = now_ms()
local ended = sweep(stream, group, due, scheduled, later, expiry, claimed, now, 1000)
if ARGV[6] == '1' then
  end_claims_of_the_dead(stream, due, scheduled, later, expiry, claimed, group, ARGV[7],
    tonumber(ARGV[5]))
end

local taken, bytes, full = {}, 0, false
local function fits(fields)
  local size = #(field(fields, 'data') or '')
  full = most_bytes > 0 and #taken > 0 and bytes + size > most_bytes
  if not full then bytes = bytes + size end
  return not full
end
local function add(member, fields, deliveries, time)
  taken[#taken + 1] = member
  taken[#taken + 1] = fields
  taken[#taken + 1] = deliveries
  taken[#taken + 1] = tonumber(time)
end

-- One that came back with a delay.
local function claim_returned(padded_id, time)
  local entry = redis.call('XRANGE', stream, padded_id, padded_id)[1]
  local pending = redis.pcall('XPENDING', stream, group, padded_id, padded_id, 1)
  if not entry or pending.err or not pending[1] then
    redis.call('ZREM', due, padded_id)
    redis.pcall('XACK', stream, group, padded_id)
    ended = ended + 1
    return
  end
  if not fits(entry[2]) then return end
  local id, deliveries = entry[1], pending[1][4]
  full = no_memory(redis.pcall('ZADD', claimed, time, id))
  if full then return end
  redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', deliveries, 'JUSTID')
  redis.call('ZREM', due, padded_id)
  add(id, entry[2], deliveries, time)
end

-- One that was published with a delay.
local grouped = false
local function claim_later(id, time)
  local member = 'later:' .. id
  local entry = redis.call('XRANGE', later, id, id)[1]
  if not entry then
    redis.call('ZREM', scheduled, id)
    ended = ended + 1
    return
  end
  if not fits(entry[2]) then return end
  if not grouped then
    local made = redis.pcall('XGROUP', 'CREATE', later, group, '0')
    grouped = not made.err or string.find(made.err, 'BUSYGROUP') ~= nil
  end
  full = not grouped or no_memory(redis.pcall('ZADD', claimed, time, member))
  if full then return end
  redis.call('XCLAIM', later, group, me, 0, id, 'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
  redis.call('ZREM', scheduled, id)
  redis.call('ZREM', expiry, member) -- what a consumer holds does not expire
  add(member, entry[2], 0, time)
end

local after = '(' .. now
local back = redis.call('ZRANGEBYSCORE', due, after, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local first = redis.call('ZRANGEBYSCORE', scheduled, after, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local b, f = 1, 1
while not full and #taken < 4 * most and (back[b] or first[f]) do
  if back[b] and (not first[f] or tonumber(back[b + 1]) <= tonumber(first[f + 1])) then
    claim_returned(back[b], back[b + 1])
    b = b + 2
  else
    claim_later(first[f], first[f + 1])
    f = f + 2
  end
end
return {ended, unpack(taken)}
