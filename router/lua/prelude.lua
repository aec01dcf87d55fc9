-- Begins every script of the board. One script is one step: Redis runs nothing else meanwhile.
-- KEYS 1 meta 2 prefix of this generation's keys. All names made from the prefix carry the workspace's hash tag, so they live
-- in the same slot of a Cluster as the two that are declared. ARGV 1 generation, '' while it is being built.
--   ag   HASH  agent  -> [on, availability, capacity, used, seq, ",teams,", ",skills,"]    availability: a(vailable) b(usy) x(away, disabled)
--   tk   HASH  ticket -> [state, weight, counted, queue, rank, ",skills,", last, agent, epoch]   state: Q(ueued) A(ssigned)
--   q:*  ZSET  ticket -> rank        pool:* ZSET agent -> load ratio, then last assignment; only those who can take more
--   qs   SET   queues that may have tickets       pend ZSET ticket -> confirm by (ms): picked, not yet in SQL
--   hb   ZSET  agent -> lease ends (ms)           gone ZSET agent -> grace ends (ms)
--   phones HASH call -> agent: who talks on the phone; a call is a ticket of its own in tk that weighs the whole agent
--   left HASH  agent -> epoch when his lease ended: what he owns by a later one was given to him knowingly
local P = KEYS[2]
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return redis.error_reply('STALEGEN the board was rebuilt') end
local AG, TK, QS, PEND, HB, GONE, LEFT, PHONES = P .. 'ag', P .. 'tk', P .. 'qs', P .. 'pend', P .. 'hb', P .. 'gone', P .. 'left', P .. 'phones'

local function int(n) return string.format('%.0f', n) end

local agents, dirty, left = {}, {}, {}

local function read_agent(id, s)
  local v = cjson.decode(s)
  local a = {id = id, on = v[1], av = v[2], cap = v[3], used = v[4], seq = v[5], teams = v[6], skills = v[7]}
  agents[id] = a
  return a
end

-- The agent, or nil when the board does not know him.
local function agent(id)
  if agents[id] then return agents[id] end
  local s = redis.call('HGET', AG, id)
  if s then return read_agent(id, s) end
end

-- The agent; an unknown one may carry load but is given nothing.
local function agent_or_stranger(id)
  local a = agent(id)
  if not a then
    a = {id = id, on = 0, av = 'x', cap = 10, used = 0, seq = 0, teams = ',', skills = ','}
    agents[id] = a
  end
  return a
end

local function score(a) return math.floor(a.used * 1000 / a.cap) * 4398046511104 + a.seq end

local function free(a) return a.on == 1 and a.av == 'a' and a.used < a.cap end

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
    -- Written by hand: cjson writes large numbers with an exponent, and what Go puts in needs no escaping.
    fields[#fields + 1] = '[' .. a.on .. ',"' .. a.av .. '",' .. int(a.cap) .. ',' .. int(a.used) .. ',' .. int(a.seq) .. ',"' .. a.teams ..
      '","' .. a.skills .. '"]'
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

-- The tickets with those ids, by id. One decode for all: calls are what costs.
local function read_tickets(ids)
  local found, packed, known = {}, {}, {}
  for i = 1, #ids, 500 do
    for j, s in ipairs(redis.call('HMGET', TK, unpack(ids, i, math.min(i + 499, #ids)))) do
      if s then
        packed[#packed + 1] = s
        known[#known + 1] = ids[i + j - 1]
      end
    end
  end
  for i, v in ipairs(cjson.decode('[' .. table.concat(packed, ',') .. ']')) do
    found[known[i]] = {id = known[i], st = v[1], w = v[2], cw = v[3], q = v[4], rank = v[5], skills = v[6], last = v[7], ag = v[8], ep = v[9]}
  end
  return found
end

local function pack_ticket(t)
  return '["' .. t.st .. '",' .. int(t.w) .. ',' .. int(t.cw) .. ',"' .. t.q .. '",' .. int(t.rank) .. ',"' .. t.skills .. '","' .. t.last ..
    '","' .. t.ag .. '",' .. int(t.ep) .. ']'
end
