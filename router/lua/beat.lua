-- Renews an agent's lease. ARGV 2 agent 3 lease ends (ms). Answers 1 when he just came, 0 when he was here, -1 when the board does
-- not know him.
local a = agent(ARGV[2])
if not a then return -1 end
redis.call('ZADD', HB, ARGV[3], a.id)
if a.on == 1 then return 0 end
redis.call('ZREM', GONE, a.id)
redis.call('HDEL', LEFT, a.id)
a.on = 1
dirty[a.id] = true
save_agents()
return 1
