-- What a consumer may have before what is new: what came back and is due, and what consumers hold
-- that are dead. On the way, what was published with a delay joins the stream when it is due.
-- KEYS: stream, due, scheduled, later, expiry, claimed
-- ARGV: group, consumer, most entries, lease (ms) of consumers that do not say theirs, 1 to look for
--       the dead, beginning of the keys that are signs of life
-- Gives: ms until the next one is due (-1: nothing waits), entries pending of this consumer, entries
--       taken from the dead, then three for each entry: id, fields, deliveries
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local claimed = KEYS[6]
local group, me = ARGV[1], ARGV[2]
local most, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local now = now_ms()
local returned = 'swapmq:returned'

-- A delayed message that expires before it is due is never one.
local function join(id)
  local entry = redis.call('XRANGE', later, id, id)[1]
  if entry then
    local expires = redis.call('ZSCORE', expiry, 'later:' .. id)
    if not expires or tonumber(expires) > now then
      local joined = redis.pcall('XADD', stream, '*', unpack(entry[2]))
      if joined.err then return false end -- no memory: it waits on
      if expires then redis.call('ZADD', expiry, expires, joined) end
    end
    redis.call('ZREM', expiry, 'later:' .. id)
    redis.call('XDEL', later, id)
  end
  redis.call('ZREM', scheduled, id)
  return true
end

sweep(stream, group, due, scheduled, later, expiry, claimed, now, 100)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', now, 'LIMIT', 0, 256)) do
  if not join(id) then break end
end

local taken = {}
local function claim(id, deliveries)
  local entry = redis.call('XCLAIM', stream, group, me, 0, id)[1]
  if entry then
    taken[#taken + 1] = entry[1]
    taken[#taken + 1] = entry[2]
    taken[#taken + 1] = deliveries + 1
  else
    redis.call('XACK', stream, group, id) -- its entry is gone: Redis before 7.0 keeps it pending
  end
end

local fetched = 0
if most > 0 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
    local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if pending then
      claim(id, pending[4])
      fetched = fetched + 1
    end
    redis.call('ZREM', due, id)
  end
end

local mine, rescued = -1, 0
if ARGV[5] == '1' then
  mine = 0
  end_claims_of_the_dead(stream, due, scheduled, later, expiry, claimed, group, ARGV[6], lease)
  local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
  if consumers.err then return redis.error_reply('NOGROUP ' .. consumers.err) end
  for _, info in ipairs(consumers) do
    -- name, its name, pending, how many, idle, ms: in this order in all versions
    local name, pending, idle = info[2], info[4], info[6]
    if name == me then
      mine = pending
    elseif name ~= returned and redis.call('EXISTS', ARGV[6] .. name) == 0 then
      if pending == 0 then
        -- Only those of ours, and long after their end: names tell who was there.
        if idle > 3600000 and string.sub(name, 1, 7) == 'swapmq:' then
          redis.call('XGROUP', 'DELCONSUMER', stream, group, name)
        end
      elseif fetched < most then
        -- One of ours tells its lease in its name.
        local its_lease = tonumber(string.match(name, ':(%d+)ms:%x+$')) or lease
        local left = most - fetched
        for _, entry in ipairs(
          redis.call('XPENDING', stream, group, 'IDLE', its_lease, '-', '+', left, name)) do
          if not redis.call('ZSCORE', claimed, entry[1]) then
            claim(entry[1], entry[4])
            fetched = fetched + 1
            rescued = rescued + 1
          end
        end
      end
    end
  end
end

local next_due = -1
for _, key in ipairs({due, scheduled}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local wait = math.max(0, tonumber(first[2]) - now)
    if next_due < 0 or wait < next_due then next_due = wait end
  end
end
return {next_due, mine, rescued, unpack(taken)}
