-- Sets tickets to what SQL says of them. A ticket the board holds at a later epoch is left alone: the word is old.
-- ARGV 2.. ten per ticket: id, state (Q, A or - for no more load), weight, queue, rank, skills, last agent, agent, epoch, and the
-- epoch up to which the board's own state gives way (that of a refused pick).
-- Answers 1 or 0 per ticket.
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local done, top, ids = {}, seq, {}
for i = 2, #ARGV, 10 do ids[#ids + 1] = ARGV[i] end
local loaded = read_tickets(ids)
for i = 2, #ARGV, 10 do
  local id = ARGV[i]
  local t = {id = id, st = ARGV[i + 1], w = tonumber(ARGV[i + 2]), cw = 0, q = ARGV[i + 3], rank = tonumber(ARGV[i + 4]),
    skills = ARGV[i + 5], last = ARGV[i + 6], ag = ARGV[i + 7], ep = tonumber(ARGV[i + 8])}
  local over, old = tonumber(ARGV[i + 9]), loaded[id]
  if old and old.ep > math.max(t.ep, over) then
    done[#done + 1] = 0
  else
    if old and old.st == 'A' then
      local a = agent_or_stranger(old.ag)
      a.used = math.max(0, a.used - old.cw)
      dirty[a.id] = true
    elseif old and (t.st ~= 'Q' or old.q ~= t.q) then
      redis.call('ZREM', P .. 'q:' .. old.q, id)
    end
    if old or t.st == '-' then redis.call('ZREM', PEND, id) end
    if string.sub(id, 1, 5) == 'call:' then
      if t.st == 'A' then redis.call('HSET', PHONES, id, t.ag) else redis.call('HDEL', PHONES, id) end
    end
    if t.st == '-' then
      if old then redis.call('HDEL', TK, id) end
      loaded[id] = nil
    else
      if t.st == 'A' then
        local a = agent_or_stranger(t.ag)
        t.cw = cost(a, t.w)
        a.used, a.seq = a.used + t.cw, math.max(a.seq, t.ep)
        dirty[a.id] = true
      else
        t.ag = ''
        redis.call('ZADD', P .. 'q:' .. t.q, int(t.rank), id)
        redis.call('SADD', QS, t.q)
      end
      redis.call('HSET', TK, id, pack_ticket(t))
      loaded[id] = t
    end
    top = math.max(top, t.ep)
    done[#done + 1] = 1
  end
end
if top > seq then redis.call('HSET', KEYS[1], 'seq', int(top)) end
save_agents()
return done
