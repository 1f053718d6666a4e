//! A story for people.

use std::fmt::Write as _;

use super::{
    super::text,
    story::{Group, Home, Story},
};

pub(super) fn page(story: &Story) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = tell(&mut page, story);
    page
}

fn tell(page: &mut String, story: &Story) -> std::fmt::Result {
    writeln!(page, "{}", story.object)?;
    if let Some(why) = &story.not_ours {
        writeln!(page, "  not ours: {why}")?;
    }
    for home in &story.stacks {
        home_lines(page, home)?;
    }
    if story.not_ours.is_none() {
        let addresses = story.addresses.join(", ");
        writeln!(page, "  address: {}", if addresses.is_empty() { "none yet" } else { addresses.as_str() })?;
    }
    for group in &story.target_groups {
        group_lines(page, group)?;
    }
    writeln!(page)?;
    page.push_str(&text::units(&story.units));
    writeln!(page, "Whose move: {} - {}.", story.verdict.whose, story.verdict.why)
}

fn home_lines(page: &mut String, home: &Home) -> std::fmt::Result {
    writeln!(page, "  load balancer: {}", home.stack)?;
    if home.members.len() > 1 {
        writeln!(page, "    shared by {}", home.members.join(", "))?;
    }
    for said in &home.conditions {
        let message = if said.message.is_empty() { String::new() } else { format!(": {}", said.message) };
        writeln!(page, "    {} is {} ({}){message}", said.condition, said.status, said.reason)?;
    }
    Ok(())
}

fn group_lines(page: &mut String, group: &Group) -> std::fmt::Result {
    writeln!(page, "  targets of Service {} (TargetGroupBinding {})", group.service, group.binding)?;
    if let Some(problem) = &group.problem {
        writeln!(page, "    {problem}")?;
    }
    if group.targets.is_empty() && group.problem.is_none() {
        writeln!(page, "    none: the Service has no ready endpoint, or none of them can be a target")?;
    }
    for target in &group.targets {
        let reason = target.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        writeln!(page, "    {} {}{reason}", target.target, target.state)?;
    }
    Ok(())
}
