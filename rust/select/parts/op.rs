//! The things that partitions are asked for.

/// What a partition is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Op {
    /// Tell of itself.
    About = 1,
    /// Begin a selection, within limits.
    Begin,
    /// Tell whether any sample that is left fits.
    Fits,
    /// Bring back what did not fit.
    Reopen,
    /// Take note of picks.
    Take,

    /// Coverage: list features of the lowest hashes.
    Survey,
    /// Count features.
    Count,
    /// Tell what was counted.
    Cells,
    /// Replace what was counted by what counts in the whole pool.
    Admit,
    /// Count the features of a target.
    Aim,
    /// Number the features.
    Open,
    /// Read texts that are known.
    Know,
    /// Make the lists of features.
    List,
    /// Tell what is known.
    Known,
    /// Cover what is known anywhere.
    Cover,
    /// Compute first keys.
    Start,
    /// Find the samples of largest keys.
    Best,
    /// Tell of samples by their positions.
    Fetch,

    /// In order: tell of the weights.
    Weights,
    /// Count words.
    Words,
    /// Put the samples in order.
    Order,
    /// Tell of the next samples.
    Next,

    /// ZIP: size samples alone.
    Score,
    /// Begin with these sizes.
    Alone,
    /// Size everything selected with each of some samples added.
    Size,
    /// Take note of a round.
    Advance,
    /// Let go of what fits no more.
    Drop,
    /// Tell of the samples of lowest state.
    Lowest,
}

impl Op {
    const ALL: [Self; 28] = [
        Self::About,
        Self::Begin,
        Self::Fits,
        Self::Reopen,
        Self::Take,
        Self::Survey,
        Self::Count,
        Self::Cells,
        Self::Admit,
        Self::Aim,
        Self::Open,
        Self::Know,
        Self::List,
        Self::Known,
        Self::Cover,
        Self::Start,
        Self::Best,
        Self::Fetch,
        Self::Weights,
        Self::Words,
        Self::Order,
        Self::Next,
        Self::Score,
        Self::Alone,
        Self::Size,
        Self::Advance,
        Self::Drop,
        Self::Lowest,
    ];

    /// The operation with this code.
    pub(super) fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&op| op as u8 == code)
    }

    /// Whether later answers depend on it. (What [`Op::Best`] finds out of bounds spares work later, and nothing else.)
    pub(super) fn changes(self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::Reopen
                | Self::Take
                | Self::Count
                | Self::Admit
                | Self::Open
                | Self::Know
                | Self::List
                | Self::Cover
                | Self::Start
                | Self::Order
                | Self::Alone
                | Self::Advance
                | Self::Drop
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_code_of_its_own() {
        for op in Op::ALL {
            assert_eq!(Op::of(op as u8), Some(op));
        }
        assert_eq!(Op::ALL.map(|op| op as u8), std::array::from_fn(|at| at as u8 + 1));
    }
}
