-- Removes what is ready or delayed, up to about `most` entries.
-- KEYS: stream, due, scheduled, later, expiry
-- ARGV: group, most, the last id to remove ('': that of now)
-- Gives: how many it removed, 1 there is more, the last id to remove
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, most, last = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local kind = redis.call('TYPE', stream).ok
if kind == 'none' then return {0, 0, last} end
if kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
end
if last == '' then
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  last = newest and newest[1] or '0-0'
end

local removed, waiting = 0, {}
local claims = redis.pcall('XPENDING', later, group)
if claims.err or claims[1] == 0 then
  removed = redis.call('ZCARD', scheduled)
  redis.call('DEL', scheduled, later)
else -- of `later` something is claimed, which is left
  waiting = redis.call('ZRANGE', scheduled, 0, most - 1)
  if #waiting > 0 then
    removed = redis.call('XDEL', later, unpack(waiting))
    redis.call('ZREM', scheduled, unpack(waiting))
  end
end

local came_back = redis.call('ZRANGE', due, 0, most - 1)
for _, id in ipairs(came_back) do
  removed = removed + redis.call('XDEL', stream, id)
  redis.call('XACK', stream, group, id)
  redis.call('ZREM', due, id)
end

-- What no consumer was given: it is above what the group delivered last.
local delivered = '-'
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  if fields['name'] == group then delivered = '(' .. fields['last-delivered-id'] end
end
local fresh = redis.call('XRANGE', stream, delivered, last, 'COUNT', math.min(most, 256))
local ids = {}
for i, entry in ipairs(fresh) do ids[i] = entry[1] end
if #ids > 0 then removed = removed + redis.call('XDEL', stream, unpack(ids)) end

local more = (#waiting == most or #came_back == most or #fresh == math.min(most, 256)) and 1 or 0
if more == 0 and redis.call('XLEN', stream) == 0 then redis.call('DEL', expiry) end
return {removed, more, last}
