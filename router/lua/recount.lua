-- Counts every agent's load again from the tickets. Answers how many agents were wrong.
local sums, wrong = {}, 0
for _, t in pairs(read_tickets(redis.call('HKEYS', TK))) do
  if t.st == 'A' then sums[t.ag] = (sums[t.ag] or 0) + t.cw end
end
for _, id in ipairs(redis.call('HKEYS', AG)) do
  local a = agent(id)
  if a.used ~= (sums[id] or 0) then
    a.used = sums[id] or 0
    dirty[id] = true
    wrong = wrong + 1
  end
end
save_agents()
return wrong
