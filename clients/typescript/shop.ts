// A small program in the types that are generated from the OpenAPI document: it compiles only while the
// document describes these calls, and it runs only while the server answers as the document says.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { env } from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Order = components["schemas"]["OrderResponse"];
type Problem = components["schemas"]["Problem"];

const origin = env["JUMUN_ORIGIN"] ?? "http://127.0.0.1:8080";
const buyer = { "X-User-Id": "00000000-0000-7000-8000-000000000004" };
const visitor = createClient<paths>({ baseUrl: origin });
const client = createClient<paths>({ baseUrl: origin, headers: buyer });

// What is for sale: no caller has to be known.
const { data: page } = await visitor.GET("/api/v1/products", {
  params: { query: { size: 5, sort: "price,asc", inStock: true } },
});
assert(page, "the list of products");
const [cheapest, next] = page.content;
assert(cheapest && next && page.totalElements > page.size, "twenty products, five a page");
assert(cheapest.price <= next.price && cheapest.stock > 0 && !cheapest.soldOut);

// Money into the wallet.
const before = await client.GET("/api/v1/wallets");
const charged = await client.POST("/api/v1/wallets/charge", { body: { amount: 50_000 } });
assert(before.data && charged.data, "the wallet");
assert.equal(charged.data.balance, before.data.balance + 50_000);

// An order, and the same again under its key: one order, paid once.
const place = () =>
  client.POST("/api/v1/orders", {
    params: { header: { "Idempotency-Key": key } },
    body: { items: [{ productId: cheapest.id, qty: 2 }] },
  });
const key = randomUUID();
const first = await place();
assert.equal(first.response.status, 201);
assert.equal(first.response.headers.get("Idempotency-Replayed"), null);
const replay = await place();
assert.equal(replay.response.headers.get("Idempotency-Replayed"), "true");
assert.deepEqual(replay.data, first.data);
assert(first.data, "the order");
const order: Order = first.data;
assert.equal(order.status, "PAID");
assert.equal(order.paidAmount, cheapest.price * 2);
const wallet = await client.GET("/api/v1/wallets");
assert.equal(wallet.data?.balance, charged.data.balance - order.paidAmount);

// Read it back; with its tag it need not be sent again.
const path = { id: order.orderId };
const read = await client.GET("/api/v1/orders/{id}", { params: { path } });
assert.equal(read.data?.orderId, order.orderId);
const etag = read.response.headers.get("ETag");
assert(etag, "an order has a tag");
const known = await client.GET("/api/v1/orders/{id}", {
  params: { path },
  headers: { "If-None-Match": etag },
});
assert.equal(known.response.status, 304);

// What is refused is a problem, by its type too.
const tooMany = await client.POST("/api/v1/orders", {
  body: { items: [{ productId: next.id, qty: 1_000 }, { productId: soldOut(), qty: 1 }] },
});
assert.equal(tooMany.response.status, 409);
assert(tooMany.error, "a problem");
const problem: Problem = tooMany.error;
assert.equal(problem.error, "OUT_OF_STOCK");
assert.equal(problem.status, 409);
assert.match(problem.traceId, /^[0-9a-f]{32}$/);

// Another key, another body under it, somebody who is nobody.
const reused = await client.POST("/api/v1/orders", {
  params: { header: { "Idempotency-Key": key } },
  body: { items: [{ productId: cheapest.id, qty: 3 }] },
});
assert.deepEqual([reused.response.status, reused.error?.error], [409, "CONFLICT"]);
const nobody = await visitor.GET("/api/v1/orders");
assert.deepEqual([nobody.response.status, nobody.error?.error], [401, "UNAUTHORIZED"]);

console.log(`the TypeScript client ordered ${order.items[0]?.name} for ${order.paidAmount} won`);

/** The product of the demo data that is sold out. */
function soldOut(): string {
  return "00000000-0000-7000-8000-000000000103";
}
