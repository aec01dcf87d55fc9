-- Tells the board who there is. ARGV 2.. five per agent: id, availability, capacity, ,teams, and ,skills,. Lease, load and last
-- assignment stay.
for i = 2, #ARGV, 5 do
  local a = agent_or_stranger(ARGV[i])
  for team in string.gmatch(a.teams, '[^,]+') do
    if not string.find(ARGV[i + 3], ',' .. team .. ',', 1, true) then left[#left + 1] = {a.id, team} end
  end
  a.av, a.cap, a.teams, a.skills = ARGV[i + 1], math.max(1, tonumber(ARGV[i + 2])), ARGV[i + 3], ARGV[i + 4]
  dirty[a.id] = true
end
save_agents()
return 1
