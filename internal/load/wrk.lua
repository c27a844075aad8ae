-- Read by wrk. Only done() is defined: with a request() or response() of its own
-- wrk would leave its fast path and measure its script.
function done(summary, latency, requests)
  local e = summary.errors
  local function integer(n) return string.format("%.0f", n) end
  io.write('\n{"restbench":1',
    ',"requests":', integer(summary.requests),
    ',"duration":', integer(summary.duration),
    ',"bytes":', integer(summary.bytes),
    ',"connect":', integer(e.connect),
    ',"read":', integer(e.read),
    ',"write":', integer(e.write),
    ',"status":', integer(e.status),
    ',"timeout":', integer(e.timeout),
    ',"p50":', integer(latency:percentile(50)),
    ',"p90":', integer(latency:percentile(90)),
    ',"p99":', integer(latency:percentile(99)),
    ',"p999":', integer(latency:percentile(99.9)),
    ',"mean":', integer(latency.mean),
    '}\n')
end
