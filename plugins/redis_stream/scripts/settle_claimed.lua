-- Settles what was claimed before its time.
-- KEYS: stream, due, scheduled, later, expiry, claimed
-- ARGV: group, consumer, then four for each entry: its member of `claimed`, what is to be done (ack,
--       nack, release), due of a nack (ms, 0: now), deliveries so far
-- Gives one for each: 1 done, 0 not this consumer's any more, 2 no memory: still this consumer's
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local claimed = KEYS[6]
local group, me = ARGV[1], ARGV[2]
local now = now_ms()
local done = {}

local function gone(key, id, member)
  redis.call('XDEL', key, id)
  redis.call('XACK', key, group, id)
  redis.call('ZREM', claimed, member)
end

local function settle_returned(id, action, time, held)
  if action == 'ack' then
    gone(stream, id, id)
    return 1
  end
  local given, refused
  if action == 'nack' then -- it waits for another time
    given, refused = to_nobody(stream, group, due, id, time, held + 1)
    if not refused then redis.call('ZREM', claimed, id) end
  else
    given, refused = give_back(stream, group, due, claimed, id, time, held, held)
  end
  if refused then return 2 end
  local entry = given and redis.call('XRANGE', stream, id, id)[1]
  local expires = entry and field(entry[2], 'expires_at')
  if expires then redis.pcall('ZADD', expiry, expires, id) end
  return given and 1 or 0
end

-- A count that an entry has in its fields cannot be raised but by a new entry.
local function nack_later(id, member, time)
  local entry = redis.call('XRANGE', later, id, id)[1]
  if not entry then
    gone(later, id, member)
    return 0
  end
  local fields, counted = entry[2], false
  for i = 1, #fields, 2 do
    if fields[i] == 'retry_count' then
      fields[i + 1] = tostring((tonumber(fields[i + 1]) or 0) + 1)
      counted = true
    end
  end
  if not counted then
    fields[#fields + 1] = 'retry_count'
    fields[#fields + 1] = '1'
  end
  local waits = tonumber(time) > now
  local new = redis.pcall('XADD', waits and later or stream, '*', unpack(fields))
  if no_memory(new) then return 2 end
  if waits then redis.call('ZADD', scheduled, time, new) end
  local expires = field(fields, 'expires_at')
  if expires then redis.pcall('ZADD', expiry, expires, waits and 'later:' .. new or new) end
  gone(later, id, member)
  return 1
end

local function settle_later(id, member, action, time)
  if action == 'ack' then
    gone(later, id, member)
    return 1
  end
  if action == 'nack' then return nack_later(id, member, time) end
  return wait_again(scheduled, later, group, expiry, claimed, id) and 1 or 2
end

for i = 3, #ARGV, 4 do
  local member, action, time, held = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local of_later = string.sub(member, 1, 6) == 'later:'
  local id = of_later and string.sub(member, 7) or member
  local pending = redis.pcall('XPENDING', of_later and later or stream, group, id, id, 1, me)
  local result = 0
  if not pending.err and pending[1] and pending[1][4] == held and
    redis.call('ZSCORE', claimed, member) then
    if of_later then
      result = settle_later(id, member, action, time)
    else
      result = settle_returned(id, action, time, held)
    end
  end
  done[#done + 1] = result
end
return done
