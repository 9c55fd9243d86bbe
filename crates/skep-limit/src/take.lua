-- Decides one call as `gcra::decide` does, in one step for all nodes. ARGV: the time in microseconds
-- (empty: this server's), then what is taken of each key's allowance, as the time in which it comes back,
-- and its depth; last 1 for what is spent already. Answers whether it is allowed, the time, and when each
-- allowance is full again.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local spent = ARGV[2 * #KEYS + 2] == '1'
local allowed, full_at = 1, {}
for i = 1, #KEYS do
  local step, depth = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  -- A key of a wrong type or with a text that is no number counts as absent, and is replaced below.
  local held = redis.pcall('GET', KEYS[i])
  held = type(held) == 'string' and string.match(held, '^%d+$') and tonumber(held) or now
  full_at[i] = math.max(now, math.min(held, now + depth))
  if not spent and full_at[i] + step - now > depth then
    allowed = 0
  end
end
if allowed == 1 then
  for i = 1, #KEYS do
    local step, depth = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    full_at[i] = math.max(now, math.min(full_at[i] + step, now + depth))
    local life = math.ceil((full_at[i] - now) / 1000)
    if life > 0 then
      redis.call('SET', KEYS[i], string.format('%.0f', full_at[i]), 'PX', life)
    else
      redis.call('DEL', KEYS[i])
    end
  end
end
return { allowed, now, unpack(full_at) }
