//! A pool in several parts, each of which may be on another machine: the same selection as from all of it on one.
//!
//! A [`Partition`] has some of the samples, and answers requests. A coordinator, one for each method, asks all partitions at
//! once and has what is global: what of the budget is left, what has been picked, and for coverage what each feature is worth
//! now. Both are made of what the selection on one machine is made of: accounts, keys, the table of features, the frontier of
//! the greedy, rounds and rules of ZIP, orders. No rule is written twice. On one machine they call each other and hold
//! references to one pool, because there even the quickest message would take longer than many a pick.
//!
//! **Exactness.** Indices, gains and traces are those of one machine, to the bit, however the pool is cut: whatever is
//! computed of all samples is a sum of whole numbers or a maximum, and ties go by the index in the whole pool.
//!
//! **Failures.** What a partition answers depends on its samples and on the requests that it has answered. One that is lost
//! is made anew from the same samples and asked again what changed it ([`changes`]), which takes no sizing and no gains but
//! the first. Those parts of requests are to be kept: for coverage the table of features and the features of every pick, for
//! ZIP the sizes of candidates. An interrupted partition is lost.
//!
//! **Round trips and bytes.** Each coordinator states its own. Messages are described in `message`.

mod asking;
mod message;
mod op;
mod partition;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use self::asking::Asking;
pub use self::asking::{Ask, Traffic};
pub use self::message::changes;
pub(crate) use self::message::{Reader, Reply, Request, Writer, garbled};
pub(crate) use self::op::Op;
pub(crate) use self::partition::{Here, State};
pub use self::partition::{Part, Partition};
pub use self::plan::{Plan, Unit};
pub(crate) use self::plan::{Whole, accounts};
