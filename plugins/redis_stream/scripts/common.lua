-- Goes before each script: what several of them need.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- An entry's id as a member of `due`: so that members of one score are in the order of the stream.
local function padded(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return ms .. '-' .. string.rep('0', 6 - #sequence) .. sequence
end

-- The value of a field of an entry, or nil.
local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

local function no_memory(answer)
  return type(answer) == 'table' and answer.err
end

-- What waits for its time and was claimed before it is pending in the name of its claimer: in the
-- group of the stream, if it had come back with a delay, or in that of `later`, if it was published
-- with one. `claimed` tells its time; of `later` its member is 'later:' and the id.

-- An entry that a consumer holds goes back: it stays in the pending list in the name of nobody. True
-- if so; nil and the error if there is no memory for it; false if the entry is gone.
local function to_nobody(stream, group, due, id, score, deliveries)
  local member = padded(id)
  local added = redis.pcall('ZADD', due, score, member)
  if no_memory(added) then return nil, added.err end
  local given = redis.call('XCLAIM', stream, group, 'swapmq:returned', 0, id, 'RETRYCOUNT',
    deliveries, 'JUSTID')
  if given[1] then return true end
  redis.call('ZREM', due, member)
  redis.call('XACK', stream, group, id) -- Redis before 7.0 keeps it pending
  return false
end

-- The same; but one that was claimed waits for its time as before, with its deliveries so far,
-- `held`, whatever else is asked.
local function give_back(stream, group, due, claimed, id, score, deliveries, held)
  local its_time = redis.call('ZSCORE', claimed, id)
  if its_time then score, deliveries = its_time, held end
  local given, refused = to_nobody(stream, group, due, id, score, deliveries)
  if its_time and not refused then redis.call('ZREM', claimed, id) end
  return given, refused
end

-- A claimed entry of `later` waits for its time again. True, or nil and the error.
local function wait_again(scheduled, later, group, expiry, claimed, id)
  local member = 'later:' .. id
  local added = redis.pcall('ZADD', scheduled, redis.call('ZSCORE', claimed, member) or 0, id)
  if no_memory(added) then return nil, added.err end
  redis.call('ZREM', claimed, member)
  redis.pcall('XACK', later, group, id) -- its group may be gone
  local entry = redis.call('XRANGE', later, id, id)[1]
  local expires = entry and field(entry[2], 'expires_at')
  if expires then redis.pcall('ZADD', expiry, expires, member) end
  return true
end

-- What the dead had claimed waits again. `signs`: the beginning of the keys that are signs of life;
-- `lease`: of claimers that do not say theirs.
local function end_claims_of_the_dead(stream, due, scheduled, later, expiry, claimed, group, signs,
    lease)
  for _, member in ipairs(redis.call('ZRANGE', claimed, 0, 999)) do
    local of_later = string.sub(member, 1, 6) == 'later:'
    local id = of_later and string.sub(member, 7) or member
    local pending = redis.pcall('XPENDING', of_later and later or stream, group, id, id, 1)
    local held = not pending.err and pending[1] -- id, consumer, idle, deliveries
    local dead = not held
    if held and redis.call('EXISTS', signs .. held[2]) == 0 then
      dead = held[3] >= (tonumber(string.match(held[2], ':(%d+)ms:%x+$')) or lease)
    end
    if dead and of_later then
      wait_again(scheduled, later, group, expiry, claimed, id)
    elseif dead and held then
      give_back(stream, group, due, claimed, id, 0, held[4], held[4])
    elseif dead then
      redis.call('ZREM', claimed, id)
    end
  end
  local claimers = redis.pcall('XINFO', 'CONSUMERS', later, group)
  for _, info in ipairs(claimers.err and {} or claimers) do -- name, its name, pending, n, idle, ms
    if info[4] == 0 and info[6] > 3600000 and redis.call('EXISTS', signs .. info[2]) == 0 then
      redis.call('XGROUP', 'DELCONSUMER', later, group, info[2])
    end
  end
end

-- Removes what has expired, up to `most`; how many that were. What a consumer holds is left to it.
local function sweep(stream, group, due, scheduled, later, expiry, claimed, now, most)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, most)
  for _, member in ipairs(expired) do
    redis.call('ZREM', expiry, member)
    if string.sub(member, 1, 6) == 'later:' then
      local id = string.sub(member, 7)
      if not redis.call('ZSCORE', claimed, member) then
        redis.call('ZREM', scheduled, id)
        redis.call('XDEL', later, id)
      end
    else
      local pending = redis.pcall('XPENDING', stream, group, member, member, 1)
      local holder = not pending.err and pending[1] and pending[1][2]
      if holder == 'swapmq:returned' then
        redis.call('ZREM', due, padded(member))
        redis.call('XACK', stream, group, member)
      end
      if not holder or holder == 'swapmq:returned' then redis.call('XDEL', stream, member) end
    end
  end
  return #expired
end
