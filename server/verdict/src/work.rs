//! What judging costs, and who may end it.

use std::cell::{Cell, RefCell};

/// The number of comparisons between two questions whether to go on.
const SLICE: u64 = 16 * 1024;

/// Counts comparisons, and asks now and then whether to go on.
pub(crate) struct Work<'a> {
    done: Cell<u64>,
    asks_at: Cell<u64>,
    may_go_on: RefCell<&'a mut dyn FnMut(u64) -> bool>,
    is_over: Cell<bool>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(may_go_on: &'a mut dyn FnMut(u64) -> bool) -> Work<'a> {
        let may_go_on = RefCell::new(may_go_on);
        Work { done: Cell::new(0), asks_at: Cell::new(0), may_go_on, is_over: Cell::new(false) }
    }

    /// Counts comparisons that are made next. After `false` nobody wants the result: whoever compares leaves off.
    pub(crate) fn goes_on(&self, comparisons: usize) -> bool {
        let done = self.done.get() + comparisons as u64;
        self.done.set(done);
        if done >= self.asks_at.get() {
            self.asks_at.set(done + SLICE);
            let goes_on = (self.may_go_on.borrow_mut())(done);
            self.is_over.set(self.is_over.get() || !goes_on);
        }
        !self.is_over.get()
    }

    /// Asks a last time: whether the result is wanted.
    pub(crate) fn was_wanted(&self) -> bool {
        self.asks_at.set(0);
        self.goes_on(0)
    }
}
