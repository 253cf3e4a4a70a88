// What the collection sends, in an order in which it can be run from top to bottom on a fresh demo shop.
// Names, descriptions, parameters and expected statuses come from the OpenAPI document; a test of the
// generator is that every operation of the document stands here.
//
// A step is an operation and what to fill it with: `path`, `query`, `body`; `save` takes members of the
// answer into variables; `as: "admin"` calls as the administrator; `expect` names the statuses
// where they are not the first success that the document promises.

/** The variables of the collection. */
export const variables = {
  baseUrl: "http://127.0.0.1:8080",
  userId: "00000000-0000-7000-8000-000000000002",
  adminId: "00000000-0000-7000-8000-000000000001",
  productId: "00000000-0000-7000-8000-000000000104",
  couponCode: "WELCOME10",
  email: "user2@example.com",
  password: "demo-password-2",
};

const path = { id: "{{productId}}" };
const items = [{ productId: "{{productId}}", qty: 2 }];
const order = { id: "{{orderId}}" };
const payment = { id: "{{paymentId}}" };
const user = { id: "{{userId}}" };
const login = { email: "{{email}}", password: "{{password}}" };
const tokens = ["accessToken", "refreshToken"];

/** The folders of the collection and their steps. */
export const folders = {
  Products: [
    { operation: "GET /api/v1/products", query: { size: "5", sort: "price,asc" } },
    { operation: "GET /api/v1/products/{id}", path },
    { operation: "GET /api/v1/stats/popular-products", query: { days: "3", limit: "5" } },
    { operation: "GET /api/v1/products/top" },
    { operation: "GET /api/v1/products/popular" },
    { operation: "GET /api/v1/products/popular/weekly" },
  ],
  "Products, for administrators": [
    {
      operation: "POST /api/v1/products",
      as: "admin",
      body: { name: "Quince tea, 500 g", price: 14900, stock: 20 },
      save: { newProductId: "id" },
    },
    {
      operation: "POST /api/v1/products:bulk",
      as: "admin",
      body: { onError: "skip", products: [{ name: "Persimmon vinegar, 1 l", price: 9900, stock: 12 }] },
    },
    {
      operation: "PATCH /api/v1/products/{id}",
      as: "admin",
      path: { id: "{{newProductId}}" },
      body: { price: 13900 },
    },
    {
      operation: "POST /api/v1/products/{id}/stock",
      as: "admin",
      path: { id: "{{newProductId}}" },
      body: { delta: 30, reason: "delivery" },
    },
  ],
  Users: [
    {
      operation: "POST /api/v1/users",
      body: { email: "{{$randomUUID}}@example.com", name: "Kim Mina", password: "a long password" },
    },
    { operation: "GET /api/v1/users/{id}", path: user },
  ],
  Wallet: [
    { operation: "POST /api/v1/wallets/charge", body: { amount: 50000 } },
    { operation: "GET /api/v1/wallets" },
    { operation: "GET /api/v1/wallets/ledger", query: { size: "10" } },
    { operation: "POST /api/v1/users/{id}/points/charge", path: user, body: { amount: 10000 } },
    { operation: "GET /api/v1/users/{id}/points", path: user },
  ],
  Coupons: [
    {
      operation: "POST /api/v1/coupons",
      as: "admin",
      body: {
        code: "TEA-{{$timestamp}}",
        name: "3,000 won off tea",
        type: "FIXED",
        value: 3000,
        quantity: 100,
        startsAt: "2026-01-01T00:00:00Z",
        endsAt: "2099-01-01T00:00:00Z",
        minOrderAmount: 10000,
      },
      save: { newCouponCode: "code" },
    },
    { operation: "GET /api/v1/coupons" },
    { operation: "GET /api/v1/coupons/{code}", path: { code: "{{couponCode}}" } },
    { operation: "POST /api/v1/coupons/{code}/claim", path: { code: "{{newCouponCode}}" } },
    { operation: "GET /api/v1/users/{id}/coupons", path: user },
  ],
  Cart: [
    { operation: "PUT /api/v1/cart/items/{id}", path, body: { qty: 3 } },
    { operation: "GET /api/v1/cart" },
    { operation: "GET /api/v1/users/{id}/cart", path: user },
    { operation: "DELETE /api/v1/cart/items/{id}", path },
    { operation: "DELETE /api/v1/cart" },
  ],
  Orders: [
    {
      operation: "POST /api/v1/orders",
      body: { items, payment: "LATER", couponCode: "{{newCouponCode}}" },
      save: { orderId: "orderId" },
    },
    { operation: "GET /api/v1/orders", query: { size: "10" } },
    { operation: "GET /api/v1/orders/{id}", path: order },
    { operation: "POST /api/v1/orders/{id}/cancel", path: order },
    { operation: "GET /api/v1/orders/{id}/history", path: order },
  ],
  Payments: [
    { operation: "POST /api/v1/orders", body: { items, payment: "LATER" }, save: { orderId: "orderId" } },
    {
      operation: "POST /api/v1/payments",
      body: { orderId: "{{orderId}}", method: "CARD", cardToken: "tok_ok", usePoint: 2000 },
      save: { paymentId: "paymentId" },
    },
    { operation: "GET /api/v1/payments/{id}", path: payment },
    { operation: "GET /api/v1/orders/{id}/payments", path: order },
    { operation: "GET /api/v1/users/{id}/payments", path: user },
    {
      // Only the gateway can sign a notice.
      operation: "POST /api/v1/webhooks/payment-gateway",
      body: { type: "payment.succeeded", timestamp: "2026-03-01T03:00:00Z", data: {} },
      expect: [401],
    },
  ],
  Refunds: [
    {
      operation: "POST /api/v1/payments/{id}/refund:preview",
      path: payment,
      body: { reason: "too many", items: [{ productId: "{{productId}}", qty: 1 }] },
    },
    {
      operation: "POST /api/v1/payments/{id}/refund",
      path: payment,
      body: { reason: "too many", items: [{ productId: "{{productId}}", qty: 1 }] },
      save: { refundId: "refundId" },
    },
    { operation: "GET /api/v1/refunds/{id}", path: { id: "{{refundId}}" } },
    { operation: "GET /api/v1/payments/{id}/refunds", path: payment },
  ],
  "Log in": [
    { operation: "POST /api/v1/auth/login", body: login, save: tokens },
    { operation: "POST /api/v1/auth/refresh", body: { refreshToken: "{{refreshToken}}" }, save: tokens },
    { operation: "POST /api/v1/auth/logout", body: { refreshToken: "{{refreshToken}}" } },
  ],
  Administration: [
    { operation: "GET /api/v1/admin/outbox", as: "admin", save: { eventId: "content.0.id" } },
    {
      // An event that has been delivered is not there to be made due: that is what the replay is for.
      operation: "POST /api/v1/admin/outbox/{id}/retry",
      as: "admin",
      path: { id: "{{eventId}}" },
      expect: [202, 404],
    },
    {
      operation: "POST /api/v1/admin/outbox:replay",
      as: "admin",
      body: { from: "2026-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z", type: "OrderPaid", dryRun: true },
    },
    { operation: "GET /api/v1/admin/events", as: "admin", query: { size: "10" } },
    { operation: "GET /api/v1/admin/audit", as: "admin" },
  ],
  Operation: [
    { operation: "GET /health/live" },
    { operation: "GET /health/ready" },
    { operation: "GET /actuator/health" },
    { operation: "GET /metrics" },
  ],
};
