-- Orders for wrk: 2 of the products in products.txt, by one of the users in users.txt, one id a line.
-- Counts the answers by status, so that a rejection does not pass for an order.
local function lines(file)
  local list = {}
  for line in io.lines(file) do list[#list + 1] = line end
  return list
end

local threads = {}

function setup(thread)
  thread:set("seed", #threads + 1)
  table.insert(threads, thread)
end

function init()
  users, products, statuses = lines("users.txt"), lines("products.txt"), {}
  math.randomseed(seed)
end

function request()
  local body = string.format('{"items":[{"productId":"%s","qty":1},{"productId":"%s","qty":1}]}',
    products[math.random(#products)], products[math.random(#products)])
  return wrk.format("POST", "/api/v1/orders",
    { ["Content-Type"] = "application/json", ["X-User-Id"] = users[math.random(#users)] }, body)
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local sums = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do sums[status] = (sums[status] or 0) + count end
  end
  for status, count in pairs(sums) do
    io.write(string.format("status %d: %d, %.0f/s\n", status, count, count / summary.duration * 1e6))
  end
  io.write(string.format("p50 %.1f ms, p99 %.1f ms\n", latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
