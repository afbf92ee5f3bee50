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

-- An entry that a consumer holds goes back: it stays in the pending list in the name of nobody. True
-- if so; nil and the error if there is no memory for it; false if the entry is gone.
local function give_back(stream, group, due, id, score, deliveries)
  local member = padded(id)
  local added = redis.pcall('ZADD', due, score, member)
  if type(added) == 'table' and added.err then return nil, added.err end
  local claimed = redis.call('XCLAIM', stream, group, 'swapmq:returned', 0, id, 'RETRYCOUNT',
    deliveries, 'JUSTID')
  if claimed[1] then return true end
  redis.call('ZREM', due, member)
  redis.call('XACK', stream, group, id) -- Redis before 7.0 keeps it pending
  return false
end

-- Removes what has expired, up to `most`; how many that were. What a consumer holds is left to it.
local function sweep(stream, group, due, scheduled, later, expiry, now, most)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, most)
  for _, member in ipairs(expired) do
    redis.call('ZREM', expiry, member)
    if string.sub(member, 1, 6) == 'later:' then
      local id = string.sub(member, 7)
      redis.call('ZREM', scheduled, id)
      redis.call('XDEL', later, id)
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
