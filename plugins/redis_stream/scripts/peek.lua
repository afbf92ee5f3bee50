-- Shows what is ready, in the order in which a consumer would get it. Changes nothing.
-- KEYS: stream, due, scheduled, later, expiry
-- ARGV: group, most entries, most bytes of their data (0: no limit)
-- Gives three for each entry: id, fields, deliveries so far
local stream, due, scheduled, later, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, most, most_bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local kind = redis.call('TYPE', stream).ok
if kind == 'none' then return {} end
if kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
end
local now = now_ms()

local shown, bytes, full = {}, 0, false
local function show(entry, deliveries, of_later)
  if full or not entry then return end
  local expires = redis.call('ZSCORE', expiry, (of_later and 'later:' or '') .. entry[1])
  if expires and tonumber(expires) <= now then return end
  local size = #(field(entry[2], 'data') or '')
  full = most_bytes > 0 and #shown > 0 and bytes + size > most_bytes
  if full then return end
  bytes = bytes + size
  shown[#shown + 1] = entry[1]
  shown[#shown + 1] = entry[2]
  shown[#shown + 1] = deliveries
  full = #shown >= 3 * most
end

-- What came back, and is due.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if not pending.err and pending[1] then
    show(redis.call('XRANGE', stream, id, id)[1], pending[1][4], false)
  end
end

-- What is new: beyond what the group has read.
local after = '-'
local groups = redis.pcall('XINFO', 'GROUPS', stream)
for _, info in ipairs(groups.err and {} or groups) do
  local of = {}
  for i = 1, #info, 2 do of[info[i]] = info[i + 1] end
  if of['name'] == group then after = '(' .. of['last-delivered-id'] end
end
while not full do
  local entries = redis.call('XRANGE', stream, after, '+', 'COUNT', most)
  if not entries[1] then break end
  for _, entry in ipairs(entries) do show(entry, 0, false) end
  after = '(' .. entries[#entries][1]
end

-- What was published with a delay and is due, and has not joined the stream yet.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', now, 'LIMIT', 0, most)) do
  show(redis.call('XRANGE', later, id, id)[1], 0, true)
end
return shown
