-- Takes out agents whose lease ended, and names those whose grace is over: whoever asked deals with their tickets and then
-- takes them off the list; if he does not, the next one after the retry does.
-- ARGV 2 now (ms) 3 end of grace for those who leave now 4 retry at 5 most of each. Answers {left, over}.
local seq = redis.call('HGET', KEYS[1], 'seq') or '0'
local leaving = redis.call('ZRANGEBYSCORE', HB, '-inf', ARGV[2], 'LIMIT', 0, ARGV[5])
for _, id in ipairs(leaving) do
  redis.call('ZREM', HB, id)
  redis.call('ZADD', GONE, ARGV[3], id)
  redis.call('HSET', LEFT, id, seq)
  local a = agent(id)
  if a then
    a.on = 0
    dirty[id] = true
  end
end
save_agents()
local over = redis.call('ZRANGEBYSCORE', GONE, '-inf', ARGV[2], 'LIMIT', 0, ARGV[5])
for _, id in ipairs(over) do redis.call('ZADD', GONE, ARGV[4], id) end
return {leaving, over}
