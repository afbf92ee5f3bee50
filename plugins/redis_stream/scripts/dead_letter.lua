-- Moves one entry to another queue, in one step.
-- KEYS: the stream that it is in, the other queue's stream, claimed
-- ARGV: group, consumer, id, deliveries so far, most messages of the other queue (0: no limit),
--       its member of `claimed` ('': it was delivered), fields of the new entry...
-- Gives 1 done, 0 not this consumer's any more, 2 the other queue is full
local stream, target = KEYS[1], KEYS[2]
local group, me, id = ARGV[1], ARGV[2], ARGV[3]
local pending = redis.pcall('XPENDING', stream, group, id, id, 1, me)
if pending.err or not pending[1] or pending[1][4] ~= tonumber(ARGV[4]) then return 0 end
if ARGV[5] ~= '0' and stream ~= target and redis.call('XLEN', target) >= tonumber(ARGV[5]) then
  return 2
end
redis.call('XADD', target, '*', unpack(ARGV, 7)) -- it alone can fail, and nothing is done before
redis.call('XDEL', stream, id)
redis.call('XACK', stream, group, id)
if ARGV[6] ~= '' then redis.call('ZREM', KEYS[3], ARGV[6]) end
return 1
