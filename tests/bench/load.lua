-- load.lua: what wrk asks for, and what it tells at the end.
--
-- Use:  wrk ... URL -s load.lua -- [IDS [SLOW_PATH PERCENT]]
--
-- Without IDS every request asks for URL. With it every request asks for URL/id, with ids drawn from 1 to IDS; the
-- requests are made beforehand, so that drawing them costs the run next to nothing. Prints one line of JSON.
--
-- With SLOW_PATH so many in a hundred requests, drawn as well, ask for that, and the latencies told are those of the
-- others alone, as they were. (wrk's own do not know who asked for what, and wrk adds some to them, for requests that it
-- would have made had it not waited.) A script does not learn which connection an answer came on: each thread must have
-- one connection (-t as many as -c), so that an answer belongs to the request before it.

local DRAWN = 8192
local threads = {}

function setup(thread)
	thread:set("seed", #threads)
	table.insert(threads, thread)
end

function init(args)
	local ids, slow_path, slow_percent = tonumber(args[1]), args[2], tonumber(args[3])
	if not ids then
		return
	end

	local requests, is_slow, at = {}, {}, 0
	math.randomseed(seed)
	for i = 1, DRAWN do
		is_slow[i] = slow_path and math.random(100) <= slow_percent
		requests[i] = wrk.format("GET", is_slow[i] and slow_path or wrk.path .. "/" .. math.random(ids))
	end
	function request()
		at = at % DRAWN + 1
		return requests[at]
	end
	if slow_path then
		time_fast_ones(function() return is_slow[at] end)
	end
end

-- Counts the latencies of the requests that are not slow, by microsecond, in the thread's table 'latencies'.
function time_fast_ones(is_slow)
	local ffi = require("ffi")
	ffi.cdef("struct timespec { long seconds, nanoseconds; }; int clock_gettime(int clock, struct timespec *time);")
	local MONOTONIC, time = 1, ffi.new("struct timespec")
	local function now_us()
		ffi.C.clock_gettime(MONOTONIC, time)
		return tonumber(time.seconds) * 1e6 + math.floor(tonumber(time.nanoseconds) / 1000)
	end

	local next_request, asked_us = request, 0
	latencies = {}
	function request()
		asked_us = now_us()
		return next_request()
	end
	function response()
		if not is_slow() then
			local us = now_us() - asked_us
			latencies[us] = (latencies[us] or 0) + 1
		end
	end
end

function done(summary, latency)
	local errors = summary.errors
	local own = own_latencies()
	local p50, p99 = latency:percentile(50), latency:percentile(99)
	if #own > 0 then
		p50, p99 = percentile(own, 50), percentile(own, 99)
	end
	io.write(string.format('{"requests": %d, "seconds": %.6f, "errors": %d, "p50_us": %d, "p99_us": %d}\n',
		summary.requests, summary.duration / 1e6,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout, p50, p99))
end

-- What the threads have counted themselves: {us, count}, the shortest first.
function own_latencies()
	local counts, sorted = {}, {}
	for _, thread in ipairs(threads) do
		for us, count in pairs(thread:get("latencies") or {}) do
			counts[us] = (counts[us] or 0) + count
		end
	end
	for us, count in pairs(counts) do
		table.insert(sorted, {us = us, count = count})
	end
	table.sort(sorted, function(a, b) return a.us < b.us end)
	return sorted
end

function percentile(sorted, percent)
	local all, seen = 0, 0
	for _, latency in ipairs(sorted) do
		all = all + latency.count
	end
	for _, latency in ipairs(sorted) do
		seen = seen + latency.count
		if seen >= all * percent / 100 then
			return latency.us
		end
	end
end
