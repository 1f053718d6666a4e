//! Words every other room speaks: ids, settings, snapshot, intent, plan, policy, report.
