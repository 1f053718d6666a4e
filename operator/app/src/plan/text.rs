//! A plan for people: a sign and a line an operation, and below it what changes and who asked for it.

use std::{collections::BTreeSet, fmt::Write as _};

use fairway_core::plan::Effect;

use super::{UnitPlan, is_in_the_way};

/// All units that have something to say, and a summary.
pub(super) fn page(plans: &[UnitPlan]) -> String {
    let mut page = units(plans);
    // Writing to a String cannot fail.
    let _ = summary(&mut page, plans);
    page
}

/// All units that have something to say.
pub(super) fn units(plans: &[UnitPlan]) -> String {
    let mut page = String::new();
    for plan in plans.iter().filter(|plan| says_something(plan)) {
        // As above.
        let _ = unit(&mut page, plan);
    }
    page
}

fn says_something(plan: &UnitPlan) -> bool {
    !plan.ops.is_empty() || !plan.withheld.is_empty() || !plan.notes.is_empty() || plan.error.is_some()
}

fn unit(page: &mut String, plan: &UnitPlan) -> std::fmt::Result {
    writeln!(page, "{}", plan.unit)?;
    for op in &plan.ops {
        let sign = match op.effect {
            Effect::Create => '+',
            Effect::Modify => '~',
            Effect::Delete => '-',
        };
        writeln!(page, "  {sign} {}", op.what)?;
        for detail in &op.details {
            writeln!(page, "      {detail}")?;
        }
        for wait in &op.waits {
            writeln!(page, "      waits until {wait}")?;
        }
        let asked: BTreeSet<String> = op.because.iter().map(ToString::to_string).collect();
        if !asked.is_empty() {
            writeln!(page, "      asked for by {}", asked.into_iter().collect::<Vec<_>>().join(", "))?;
        }
    }
    for withheld in &plan.withheld {
        writeln!(page, "  = withheld: {} ({})", withheld.what, withheld.reason)?;
    }
    for note in &plan.notes {
        writeln!(page, "  ! {note}")?;
    }
    if let Some(error) = &plan.error {
        writeln!(page, "  x {error}")?;
    }
    writeln!(page)
}

/// One line that sums up all units.
pub(super) fn summary(page: &mut String, plans: &[UnitPlan]) -> std::fmt::Result {
    let ops = || plans.iter().flat_map(|plan| &plan.ops);
    let count = |effect: Effect| ops().filter(|op| op.effect == effect).count();
    let held = plans.iter().flat_map(|plan| &plan.notes).filter(|note| note.held).count();
    let withheld: usize = plans.iter().map(|plan| plan.withheld.len()).sum();
    let unmet =
        plans.iter().flat_map(|plan| &plan.notes).filter(|note| is_in_the_way(note) && !note.held).count();
    let errors = plans.iter().filter(|plan| plan.error.is_some()).count();
    let (create, modify, delete) = (count(Effect::Create), count(Effect::Modify), count(Effect::Delete));
    if create + modify + delete + held + unmet + withheld + errors == 0 {
        return match plans.len() {
            1 => writeln!(page, "Nothing to do: one unit is as it should be."),
            all => writeln!(page, "Nothing to do: {all} units are as they should be."),
        };
    }
    write!(page, "Plan: {create} to create, {modify} to modify, {delete} to delete")?;
    for (number, word) in [(held, "held"), (unmet, "in the way"), (withheld, "withheld"), (errors, "failed")]
    {
        if number > 0 {
            write!(page, ", {number} {word}")?;
        }
    }
    writeln!(page, ".")
}
