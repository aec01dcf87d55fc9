-- A fresh epoch for what a person decides.
return redis.call('HINCRBY', KEYS[1], 'seq', 1)
