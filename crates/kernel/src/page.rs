//! Pages: numbered ones for lists that stay small, cursors for lists that grow.

use thiserror::Error;

/// How many entries a page holds, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageSize(u32);

/// A page's size is outside 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be between 1 and 100")]
pub struct InvalidPage;

impl PageSize {
    /// The largest page.
    pub const MAX: u32 = 100;

    /// Makes a page size of 1 to 100.
    pub const fn new(size: u32) -> Result<Self, InvalidPage> {
        if size == 0 || size > Self::MAX {
            return Err(InvalidPage);
        }
        Ok(Self(size))
    }

    /// Returns the number of entries.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for PageSize {
    /// 20 entries.
    fn default() -> Self {
        Self(20)
    }
}

/// Which page of a numbered list is wanted; `page` counts from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The page, from 0.
    pub page: u32,
    /// Its size.
    pub size: PageSize,
}

impl PageRequest {
    /// Returns how many entries come before this page.
    pub fn offset(self) -> u64 {
        u64::from(self.page) * u64::from(self.size.get())
    }
}

/// A page of a numbered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub content: Vec<T>,
    /// What was asked for.
    pub request: PageRequest,
    /// How many entries all pages hold together; it may lag behind by seconds.
    pub total: u64,
}

impl<T> Page<T> {
    /// Returns the number of pages.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(u64::from(self.request.size.get()))
    }
}

/// A page of a growing list, newest first, and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPage<T, C> {
    /// The entries.
    pub content: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<C>,
}

impl<T, C> CursorPage<T, C> {
    /// Makes a page of rows that were read with one more than `size`, which tells whether there is a next.
    pub fn from_overfetched(mut rows: Vec<T>, size: PageSize, cursor: impl Fn(&T) -> C) -> Self {
        let wanted = size.get() as usize;
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { content: rows, next }
    }
}
