-- Stores one message that is more than a plain XADD.
-- KEYS: stream, scheduled, later, expiry, and, for deduplication, where its id is remembered
-- ARGV: group, due (ms, 0: now), expires (ms, 0: never), deduplication window (ms, 0: none),
--       most messages of the queue (0: no limit), MAXLEN (0: none), fields...
local stream, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local due, expires = tonumber(ARGV[2]), tonumber(ARGV[3])
local window, most, trim = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = now_ms()

if window > 0 and redis.call('EXISTS', KEYS[5]) == 1 then return 'duplicate' end
if most > 0 then
  local length = redis.call('XLEN', stream) + redis.call('XLEN', later)
  if length >= most then return 'full' end
end

-- The queue is there as soon as something was published to it.
if redis.call('EXISTS', stream) == 0 then
  redis.call('XGROUP', 'CREATE', stream, ARGV[1], '0', 'MKSTREAM')
elseif redis.call('TYPE', stream).ok ~= 'stream' then
  return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
end
if expires > 0 and expires <= now then return 'expired' end

local member
if due > now then
  local id = redis.call('XADD', later, '*', unpack(ARGV, 7))
  redis.call('ZADD', scheduled, due, id)
  member = 'later:' .. id
elseif trim > 0 then
  member = redis.call('XADD', stream, 'MAXLEN', '~', trim, '*', unpack(ARGV, 7))
else
  member = redis.call('XADD', stream, '*', unpack(ARGV, 7))
end
if expires > 0 then redis.call('ZADD', expiry, expires, member) end
if window > 0 then redis.call('SET', KEYS[5], '', 'PX', window) end
return 'stored'
