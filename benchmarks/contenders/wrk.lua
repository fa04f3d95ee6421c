-- Posts one body over and over. Arguments: the body's file, its Content-Encoding ("" for none).
-- At the end a line: requests, microseconds, p99 in microseconds, errors.
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "text/plain"
  wrk.headers["Authorization"] = "Basic d2tfc2VydmVyOg==" -- wk_server:
  if arguments[2] ~= "" then
    wrk.headers["Content-Encoding"] = arguments[2]
  end
end

function done(summary, latency)
  local errors = summary.errors
  local all = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("done %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(99), all))
end
