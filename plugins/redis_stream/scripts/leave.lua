-- All that a consumer still holds goes back uncounted, then the consumer itself goes.
-- KEYS: stream, due, scheduled, later, expiry, claimed, the consumer's sign of life
-- ARGV: group, consumer
-- Gives how many entries are still its: more than 0 means to come again.
local stream, due, scheduled, later = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiry, claimed, alive = KEYS[5], KEYS[6], KEYS[7]
local group, me = ARGV[1], ARGV[2]

local pending = redis.pcall('XPENDING', stream, group, '-', '+', 1000, me)
if pending.err then -- no stream or no group: nothing is held
  redis.call('DEL', alive)
  return 0
end
for _, entry in ipairs(pending) do
  local _, refused = give_back(stream, group, due, claimed, entry[1], 0,
    math.max(0, entry[4] - 1), entry[4])
  if refused then return redis.error_reply(refused) end
end
local waiting = redis.pcall('XPENDING', later, group, '-', '+', 1000, me)
for _, entry in ipairs(waiting.err and {} or waiting) do
  local _, refused = wait_again(scheduled, later, group, expiry, claimed, entry[1])
  if refused then return redis.error_reply(refused) end
end
if not waiting.err then
  local more = redis.call('XPENDING', later, group, '-', '+', 1, me)
  if #more > 0 then return #more end
  redis.call('XGROUP', 'DELCONSUMER', later, group, me)
end
local left = redis.call('XPENDING', stream, group, '-', '+', 1, me)
if #left == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, me)
  redis.call('DEL', alive)
end
return #left
