-- load.lua: what wrk asks for, and what it tells at the end.
--
-- Use:  wrk ... URL -s load.lua -- [IDS]
--
-- Without IDS every request asks for URL. With it every request asks for URL/id, with ids drawn from 1 to IDS; the
-- requests are made beforehand, so that drawing them costs the run next to nothing. Prints one line of JSON.

local DRAWN = 8192
local threads = 0

function setup(thread)
	thread:set("seed", threads)
	threads = threads + 1
end

function init(args)
	local ids = tonumber(args[1])
	if not ids then
		return
	end

	local requests, next_request = {}, 0
	math.randomseed(seed)
	for i = 1, DRAWN do
		requests[i] = wrk.format("GET", wrk.path .. "/" .. math.random(ids))
	end
	function request()
		next_request = next_request % DRAWN + 1
		return requests[next_request]
	end
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('{"requests": %d, "seconds": %.6f, "errors": %d, "p50_us": %d, "p99_us": %d}\n',
		summary.requests, summary.duration / 1e6,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout,
		latency:percentile(50), latency:percentile(99)))
end
