-- Entries that a consumer holds go back: they stay in the pending list, in the name of nobody, and
-- `due` tells from when on they may be taken.
-- KEYS: stream, due, expiry, claimed
-- ARGV: group, consumer, then five for each entry: id, deliveries so far, deliveries from now on,
--       due (ms, 0: now), expires (ms, 0: never)
-- Gives one for each: 1 done, 0 not this consumer's any more, 2 no memory: still this consumer's
local stream, due, expiry, claimed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, me = ARGV[1], ARGV[2]
local done = {}

for i = 3, #ARGV, 5 do
  local id, deliveries = ARGV[i], tonumber(ARGV[i + 1])
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1, me)
  local result = 0
  if not pending.err and pending[1] and pending[1][4] == deliveries then
    local given, refused = give_back(stream, group, due, claimed, id, ARGV[i + 3], ARGV[i + 2],
      deliveries)
    if refused then
      result = 2
    elseif given then
      result = 1
      if ARGV[i + 4] ~= '0' then redis.pcall('ZADD', expiry, ARGV[i + 4], id) end
    end
  end
  done[#done + 1] = result
end
return done
