-- Begins every script of the board. One script is one step: Redis runs nothing else meanwhile.
-- KEYS 1 meta 2 prefix of this generation's keys. All names made from the prefix carry the workspace's hash tag, so they live
-- in the same slot of a Cluster as the two that are declared. ARGV 1 generation, '' while it is being built.
--   ag   HASH  agent  -> on|availability|capacity|used|seq|,teams,|,skills,     availability: a(vailable) b(usy) x(away, disabled)
--   tk   HASH  ticket -> state|weight|counted|queue|rank|,skills,|last|agent|epoch   state: Q(ueued) A(ssigned)
--   q:*  ZSET  ticket -> rank        pool:* ZSET agent -> load ratio, then last assignment; only those who can take more
--   qs   SET   queues that may have tickets       pend ZSET ticket -> confirm by (ms): picked, not yet in SQL
--   hb   ZSET  agent -> lease ends (ms)           gone ZSET agent -> grace ends (ms)
local P = KEYS[2]
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return redis.error_reply('STALEGEN the board was rebuilt') end
local AG, TK, QS, PEND, HB, GONE = P .. 'ag', P .. 'tk', P .. 'qs', P .. 'pend', P .. 'hb', P .. 'gone'

local function int(n) return string.format('%.0f', n) end

local agents, dirty, left = {}, {}, {}

local function parse_agent(id, s)
  local on, av, cap, used, seq, teams, skills = string.match(s, '^(%d)|(%a)|(%d+)|(%d+)|(%d+)|([^|]*)|([^|]*)$')
  local a = {id = id, on = on, av = av, cap = tonumber(cap), used = tonumber(used), seq = tonumber(seq), teams = teams, skills = skills}
  agents[id] = a
  return a
end

-- The agent, or nil when the board does not know him.
local function agent(id)
  if agents[id] then return agents[id] end
  local s = redis.call('HGET', AG, id)
  if s then return parse_agent(id, s) end
end

-- The agent; an unknown one may carry load but is given nothing.
local function agent_or_stranger(id)
  local a = agent(id)
  if not a then
    a = {id = id, on = '0', av = 'x', cap = 10, used = 0, seq = 0, teams = ',', skills = ','}
    agents[id] = a
  end
  return a
end

local function score(a) return math.floor(a.used * 1000 / a.cap) * 4398046511104 + a.seq end

local function free(a) return a.on == '1' and a.av == 'a' and a.used < a.cap end

-- What a ticket of that weight costs him. A weight of 0 is the whole agent.
local function cost(a, weight) if weight == 0 then return math.max(a.cap, 1) end return weight end

local function fits(a, t)
  if not free(a) or a.used + cost(a, t.w) > a.cap then return false end
  for s in string.gmatch(t.skills, '[^,]+') do
    if not string.find(a.skills, ',' .. s .. ',', 1, true) then return false end
  end
  return true
end

-- Writes the agents in dirty and their places in the pools; left names {agent, team} pairs that are no more.
local function save_agents()
  local fields, add, rem = {}, {}, {}
  local function into(list, queue, ...)
    local l = list[queue]
    if not l then l = {}; list[queue] = l end
    for _, x in ipairs({...}) do l[#l + 1] = x end
  end
  for id in pairs(dirty) do
    local a = agents[id]
    fields[#fields + 1] = id
    fields[#fields + 1] = table.concat({a.on, a.av, int(a.cap), int(a.used), int(a.seq), a.teams, a.skills}, '|')
    local can, rank = free(a), int(score(a))
    if can then into(add, '', rank, id) else into(rem, '', id) end
    for team in string.gmatch(a.teams, '[^,]+') do
      if can then into(add, team, rank, id) else into(rem, team, id) end
    end
  end
  for _, l in ipairs(left) do into(rem, l[2], l[1]) end
  if #fields > 0 then redis.call('HSET', AG, unpack(fields)) end
  for queue, ids in pairs(rem) do redis.call('ZREM', P .. 'pool:' .. queue, unpack(ids)) end
  for queue, pairs_ in pairs(add) do redis.call('ZADD', P .. 'pool:' .. queue, unpack(pairs_)) end
end

local function parse_ticket(id, s)
  local st, w, cw, q, rank, skills, last, ag, ep = string.match(s,
    '^(%a)|(%d+)|(%d+)|([^|]*)|(-?%d+)|([^|]*)|([^|]*)|([^|]*)|(%d+)$')
  return {id = id, st = st, w = tonumber(w), cw = tonumber(cw), q = q, rank = tonumber(rank), skills = skills, last = last, ag = ag,
    ep = tonumber(ep)}
end

local function pack_ticket(t)
  return table.concat({t.st, int(t.w), int(t.cw), t.q, int(t.rank), t.skills, t.last, t.ag, int(t.ep)}, '|')
end
