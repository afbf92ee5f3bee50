-- All that a consumer still holds goes back uncounted, then the consumer itself goes.
-- KEYS: stream, due, the consumer's sign of life
-- ARGV: group, consumer
-- Gives how many entries are still its: more than 0 means to come again.
local stream, due, alive = KEYS[1], KEYS[2], KEYS[3]
local group, me = ARGV[1], ARGV[2]

local pending = redis.pcall('XPENDING', stream, group, '-', '+', 1000, me)
if pending.err then -- no stream or no group: nothing is held
  redis.call('DEL', alive)
  return 0
end
for _, entry in ipairs(pending) do
  local _, no_memory = give_back(stream, group, due, entry[1], 0, math.max(0, entry[4] - 1))
  if no_memory then return redis.error_reply(no_memory) end
end
local left = redis.call('XPENDING', stream, group, '-', '+', 1, me)
if #left == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, me)
  redis.call('DEL', alive)
end
return #left
