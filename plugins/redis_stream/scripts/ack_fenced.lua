-- Acks by a consumer whose lease may have ended: only what it still holds is removed.
-- KEYS: stream
-- ARGV: group, consumer, then two for each entry: id, deliveries so far
-- Gives one for each: 1 done, 0 not this consumer's any more
local group, me = ARGV[1], ARGV[2]
local done = {}
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local pending = redis.pcall('XPENDING', KEYS[1], group, id, id, 1, me)
  if not pending.err and pending[1] and pending[1][4] == tonumber(ARGV[i + 1]) then
    redis.call('XDEL', KEYS[1], id)
    redis.call('XACK', KEYS[1], group, id)
    done[#done + 1] = 1
  else
    done[#done + 1] = 0
  end
end
return done
