-- Makes a rebuilt board the valid one, if the builder still holds the lock. KEYS 1 meta 2 lock. ARGV 1 lock token 2 generation
-- 3 lowest epoch it must begin at.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
if seq < tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], 'seq', ARGV[3]) end
redis.call('HSET', KEYS[1], 'gen', ARGV[2])
redis.call('DEL', KEYS[2])
return 1
