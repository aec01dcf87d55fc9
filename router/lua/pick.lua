-- Pairs waiting tickets with agents: the earliest rank of all the named queues first, each to its last agent when he can take
-- it, else to the least loaded of its queue.
-- ARGV 2 tickets to look at per queue 3 agents to look at per queue 4 most picks 5 confirm by (ms) 6.. queues
-- Answers {picks, before, more}: picks is ticket, agent, epoch, sticky, queue, rank, weight for each; before is the agents' hash
-- before them; more is 1 when there may be further tickets that were not looked at.
local K, M, N = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local pools, packed, somebody = {}, {}, false
for i = 6, #ARGV do
  local ids = redis.call('ZRANGE', P .. 'pool:' .. ARGV[i], 0, M - 1)
  pools[ARGV[i]] = ids
  somebody = somebody or #ids > 0
end
if not somebody then return {{}, {}, 0} end

local waiting, ids, more = {}, {}, 0
for i = 6, #ARGV do
  if #pools[ARGV[i]] > 0 then
    local found = redis.call('ZRANGE', P .. 'q:' .. ARGV[i], 0, K - 1, 'WITHSCORES')
    if #found == 0 then redis.call('SREM', QS, ARGV[i]) end
    if #found == 2 * K then more = 1 end
    for j = 1, #found, 2 do
      waiting[#waiting + 1] = {id = found[j], rank = tonumber(found[j + 1]), q = ARGV[i]}
    end
  end
end
if #waiting == 0 then return {{}, {}, 0} end
table.sort(waiting, function(a, b) if a.rank ~= b.rank then return a.rank < b.rank end return a.id < b.id end)
for i, t in ipairs(waiting) do ids[i] = t.id end
local found = read_tickets(ids)

for _, pool in pairs(pools) do
  local unread = {}
  for _, id in ipairs(pool) do
    if not packed[id] then unread[#unread + 1] = id end
  end
  if #unread > 0 then
    for i, s in ipairs(redis.call('HMGET', AG, unpack(unread))) do packed[unread[i]] = s end
  end
end

-- A pool is in the order of rank, except for those who were given something in this step. So the first untouched one who fits
-- is the best untouched one, and only he and the touched ones need to be compared.
local function best(t)
  local chosen, rank, untouched
  for _, id in ipairs(pools[t.q]) do
    if dirty[id] or not untouched then
      local a = agents[id] or packed[id] and read_agent(id, packed[id])
      if a and fits(a, t) then
        if not dirty[id] then untouched = true end
        local r = score(a)
        if not rank or r < rank then chosen, rank = a, r end
      end
    end
  end
  return chosen
end

local function last_agent(t)
  if t.last == '' then return nil end
  local a = agent(t.last)
  if a and (t.q == '' or string.find(a.teams, ',' .. t.q .. ',', 1, true)) and fits(a, t) then return a end
end

local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local picks, tickets, pend, gone, before = {}, {}, {}, {}, {}
for i, w in ipairs(waiting) do
  if #picks >= N * 7 then more = 1; break end
  local t = found[w.id]
  if not t or t.st ~= 'Q' or t.q ~= w.q then
    redis.call('ZREM', P .. 'q:' .. w.q, w.id) -- a stale entry heals itself
  else
    local sticky, a = '1', last_agent(t)
    if not a then sticky, a = '0', best(t) end
    if a then
      if #picks == 0 then before = redis.call('HGETALL', AG) end
      seq = seq + 1
      t.st, t.ag, t.ep, t.cw = 'A', a.id, seq, cost(a, t.w)
      a.used, a.seq = a.used + t.cw, seq
      dirty[a.id] = true
      for _, x in ipairs({t.id, a.id, int(seq), sticky, t.q, int(t.rank), int(t.cw)}) do picks[#picks + 1] = x end
      tickets[#tickets + 1] = t.id
      tickets[#tickets + 1] = pack_ticket(t)
      pend[#pend + 1] = ARGV[5]
      pend[#pend + 1] = t.id
      gone[t.q] = gone[t.q] or {}
      gone[t.q][#gone[t.q] + 1] = t.id
    end
  end
end
if #picks > 0 then
  redis.call('HSET', KEYS[1], 'seq', int(seq))
  redis.call('HSET', TK, unpack(tickets))
  redis.call('ZADD', PEND, unpack(pend))
  for q, list in pairs(gone) do redis.call('ZREM', P .. 'q:' .. q, unpack(list)) end
  save_agents()
end
return {picks, before, more}
