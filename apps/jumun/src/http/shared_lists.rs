//! Lists that are the same for everybody: read and written once for those who ask at the same moment.

use coordination::{Coalescer, Sharing};
use kernel::{Page, PageRequest, StoreError};
use product::{ProductCatalog, ProductFilter, ProductSort};
use ranking::Period;

use super::compression::{Coding, ListBody};
use super::popular::{PopularProductsResponse, TopProductsResponse};
use super::products::ProductPage;
use super::services::Services;
use crate::popular::PopularProducts;

/// A list that everybody sees alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SharedList {
    /// A page of all products that are for sale.
    Products(ProductSort, PageRequest),
    /// What sold best in so many days, at most so many products.
    TopSellers { days: u32, limit: u32 },
    /// A published ranking.
    Popular(Period),
}

/// Writes lists as JSON. Callers who wait for the same one share it down to its bytes (ADR-041): whatever is
/// in it was read after the last of them asked.
#[derive(Clone)]
pub(crate) struct SharedLists(Coalescer<(SharedList, Coding), (), ListBody>);

impl SharedLists {
    const SHARING: Sharing = Sharing { name: "lists", questions: usize::MAX };

    /// Writes lists of what there is in these services, on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(services: &Services) -> Self {
        let (catalog, popular) = (services.catalog.clone(), services.popular.clone());
        Self(Coalescer::new(Self::SHARING, move |(list, coding): (SharedList, Coding), _| {
            let (catalog, popular) = (catalog.clone(), popular.clone());
            async move { list.write(catalog.as_ref(), &popular, coding).await }
        }))
    }

    /// Returns a list.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn get(&self, list: SharedList, coding: Coding) -> Result<ListBody, StoreError> {
        self.0.ask((list, coding), ()).await
    }
}

impl SharedList {
    async fn write(
        self,
        catalog: &dyn ProductCatalog,
        popular: &PopularProducts,
        coding: Coding,
    ) -> Result<ListBody, StoreError> {
        match self {
            Self::Products(sort, request) => {
                product_page(catalog, &ProductFilter::default(), sort, request, coding).await
            }
            Self::TopSellers { days, limit } => {
                let ranking = popular.top_sellers(days, limit).await?;
                coding.write(&TopProductsResponse::of(ranking, days, limit))
            }
            Self::Popular(period) => {
                let ranking = popular.published(period).await?;
                coding.write(&PopularProductsResponse::of(ranking, period))
            }
        }
    }
}

/// Reads a page of the products that match, for one caller.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn product_page(
    catalog: &dyn ProductCatalog,
    filter: &ProductFilter,
    sort: ProductSort,
    request: PageRequest,
    coding: Coding,
) -> Result<ListBody, StoreError> {
    let content = catalog.list(filter, sort, request).await?;
    let total = catalog.count(filter).await?;
    coding.write(&ProductPage::of(&Page { content, request, total }))
}
