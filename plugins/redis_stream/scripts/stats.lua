-- The sizes of a queue, at one instant. Expired messages are removed first, up to 1000.
-- KEYS: stream, due, scheduled, later, expiry, claimed
-- ARGV: group
-- Gives: 1 it exists, ready, unacked, delayed, 1 more have expired
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local claimed, group = KEYS[6], ARGV[1]
local kind = redis.call('TYPE', stream).ok
if kind == 'none' then return {0, 0, 0, 0, 0} end
if kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
end
local now = now_ms()
local expired = sweep(stream, group, due, scheduled, later, expiry, claimed, now, 1000)
local pending, returned = 0, 0
local summary = redis.pcall('XPENDING', stream, group)
if not summary.err then
  pending = summary[1]
  for _, consumer in ipairs(summary[4] or {}) do
    if consumer[1] == 'swapmq:returned' then returned = tonumber(consumer[2]) end
  end
end
local claims = redis.pcall('XPENDING', later, group)
local of_later = claims.err and 0 or claims[1] -- before their time
local waiting = redis.call('ZCOUNT', due, '(' .. now, '+inf')
local ready = redis.call('XLEN', stream) - pending + (returned - waiting)
ready = ready + redis.call('ZCOUNT', scheduled, '-inf', now)
local delayed = waiting + redis.call('ZCOUNT', scheduled, '(' .. now, '+inf')
return {1, math.max(0, ready), pending - returned + of_later, delayed, expired == 1000 and 1 or 0}
