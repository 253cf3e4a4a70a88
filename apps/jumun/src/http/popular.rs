//! Popular products, for everybody: what sells best now, and what the batch has published.

use actix_web::{HttpResponse, get, web};
use kernel::{Money, ProductId, Timestamp, seconds};
use ranking::{Period, Popular, PublishedRanking, Score, TopSeller};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::compression::Coding;
use super::params::{NoQuery, Query};
use super::problem::Problem;
use super::schema::{Amount, Instant};
use super::shared_lists::{SharedList, SharedLists};
use crate::popular::{LiveRanking, PopularProducts};

/// These paths stand before `/products/{id}`, which would take their last part for an id.
pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(show_top_sellers)
        .service(show_top_products)
        .service(show_popular_products)
        .service(show_popular_products_of_the_week)
        .map(|config| {
            config.service(web::resource(["/products/top", "/products/popular"]).to(refuse_method))
        });
}

/// Answers the methods that these paths do not know, which those of `/products/{id}` would take.
async fn refuse_method() -> Result<HttpResponse, Problem> {
    Err(Problem::method_not_allowed("GET"))
}

const DAYS: u32 = 3;
const MOST_DAYS: u32 = 30;
const LIMIT: u32 = 5;

/// Of how many days, and how many products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TopQuery {
    /// Of how many days, today included: 1 to 30.
    #[param(minimum = 1, maximum = 30, default = 3)]
    days: Option<u32>,
    /// How many products at most: 1 to 50.
    #[param(minimum = 1, maximum = 50, default = 5)]
    limit: Option<u32>,
}

/// A product and how much was sold of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TopProduct {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    name: String,
    #[schema(value_type = Amount)]
    price: Money,
    /// How many pieces were sold in these days.
    sold_qty: u64,
}

/// What sells best.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopProductsResponse {
    range_days: u32,
    limit: u32,
    products: Vec<TopProduct>,
    /// When it was computed, some minutes ago at the most.
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    generated_at: Timestamp,
}

/// A product at its place.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PopularProduct {
    /// The place, from 1.
    rank: u32,
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    name: String,
    #[schema(value_type = Amount)]
    price: Money,
    /// How many pieces were sold in these days.
    sold_qty: u64,
    /// How often it was looked at in these days.
    views: u64,
    /// Sold × 0.7 + views × 0.3, exact.
    #[schema(value_type = f64)]
    score: Score,
}

/// A published ranking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PopularProductsResponse {
    range_days: u32,
    /// The ten most popular products that are for sale.
    products: Vec<PopularProduct>,
    /// When it was published; left out before the first time.
    #[serde(serialize_with = "seconds::optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Instant>)]
    generated_at: Option<Timestamp>,
}

impl TopProduct {
    fn of(seller: TopSeller) -> Self {
        let TopSeller { product_id, name, price, sold } = seller;
        Self { product_id, name, price, sold_qty: sold }
    }
}

impl PopularProduct {
    fn of(rank: u32, popular: Popular) -> Self {
        let Popular { product_id, name, price, sold, views } = popular;
        Self { rank, product_id, name, price, sold_qty: sold, views, score: Score::of(sold, views) }
    }
}

impl TopProductsResponse {
    pub(crate) fn of(ranking: LiveRanking, range_days: u32, limit: u32) -> Self {
        let products = ranking.products.into_iter().map(TopProduct::of).collect();
        Self { range_days, limit, products, generated_at: ranking.generated_at }
    }
}

impl PopularProductsResponse {
    pub(crate) fn of(ranking: Option<PublishedRanking>, period: Period) -> Self {
        let (products, generated_at) = match ranking {
            Some(PublishedRanking { finished_at, products }) => (products, Some(finished_at)),
            None => (Vec::new(), None),
        };
        let products = (1..).zip(products).map(|(rank, popular)| PopularProduct::of(rank, popular)).collect();
        Self { range_days: period.days(), products, generated_at }
    }
}

/// Reads a parameter that has a range.
fn within(value: Option<u32>, default: u32, most: u32, pointer: &'static str) -> Result<u32, Problem> {
    let value = value.unwrap_or(default);
    let refused = || Problem::invalid_member(pointer, format!("must be between 1 and {most}"));
    (1..=most).contains(&value).then_some(value).ok_or_else(refused)
}

/// Shows what sells best, today included.
#[utoipa::path(tag = "popular products", params(TopQuery), responses(
    (status = 200, description = "The products of which most was sold", body = TopProductsResponse),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/stats/popular-products")]
async fn show_top_sellers(
    lists: web::Data<SharedLists>,
    query: Query<TopQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let days = within(query.0.days, DAYS, MOST_DAYS, "/days")?;
    let limit = within(query.0.limit, LIMIT, PopularProducts::MOST, "/limit")?;
    Ok(lists.get(SharedList::TopSellers { days, limit }, coding).await?.respond())
}

/// Shows the five products that sold best in three days.
#[utoipa::path(tag = "popular products", responses(
    (status = 200, description = "The products of which most was sold", body = TopProductsResponse),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/products/top")]
async fn show_top_products(
    lists: web::Data<SharedLists>,
    _: Query<NoQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    Ok(lists.get(SharedList::TopSellers { days: DAYS, limit: LIMIT }, coding).await?.respond())
}

/// Shows the ranking of the last three whole days, published each night.
#[utoipa::path(tag = "popular products", responses(
    (status = 200, description = "The ranking; empty before the first one", body = PopularProductsResponse),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/products/popular")]
async fn show_popular_products(
    lists: web::Data<SharedLists>,
    _: Query<NoQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    Ok(lists.get(SharedList::Popular(Period::Daily), coding).await?.respond())
}

/// Shows the ranking of seven whole days, published each week.
#[utoipa::path(tag = "popular products", responses(
    (status = 200, description = "The ranking; empty before the first one", body = PopularProductsResponse),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/products/popular/weekly")]
async fn show_popular_products_of_the_week(
    lists: web::Data<SharedLists>,
    _: Query<NoQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    Ok(lists.get(SharedList::Popular(Period::Weekly), coding).await?.respond())
}
