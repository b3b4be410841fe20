-- load.lua - for wrk: people who pause between requests; what went wrong and how much went well, as one line of JSON.
-- SPDX-License-Identifier: ISC
local line = '{"requests": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d, '
	.. '"p99_ms": %.1f, "max_ms": %.1f, "seconds": %.1f}\n'

function delay()
	return 10
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format(line, summary.requests, e.connect, e.read, e.write, e.status, e.timeout,
		latency:percentile(99) / 1000, latency.max / 1000, summary.duration / 1e6))
end
