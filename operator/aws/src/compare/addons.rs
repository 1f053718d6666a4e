//! What is put on a load balancer from outside: only what was asked for is looked at and changed.

use fairway_core::settings::front::Attachment;

use crate::{
    model::{Addons, LoadBalancer, Ref},
    observed::{AddonsSeen, Shielding},
    stack::StackOp,
};

/// Changes of the load balancer called `name`. One that is just made has nothing yet.
pub(crate) fn changes(name: &str, want: &Addons, have: &AddonsSeen) -> Vec<StackOp> {
    let balancer = || Ref::<LoadBalancer>::new(name);
    let capacity = want.capacity.filter(|units| have.capacity.unwrap_or_default() != *units);
    let ops = [
        acl(want.web_acl.as_ref(), have.web_acl.as_ref()).map(|acl| StackOp::SetWebAcl(balancer(), acl)),
        acl(want.classic_acl.as_ref(), have.classic_acl.as_ref())
            .map(|acl| StackOp::SetClassicAcl(balancer(), acl)),
        shield(want.shield, have.shield.as_ref(), balancer),
        capacity.map(|units| StackOp::ReserveCapacity(balancer(), units)),
    ];
    ops.into_iter().flatten().collect()
}

fn acl(want: Option<&Attachment>, have: Option<&Attachment>) -> Option<Attachment> {
    let want = want?;
    (want != have.unwrap_or(&Attachment::Nothing)).then(|| want.clone())
}

/// A protection that somebody else named is as good as ours, and is not ours to end.
fn shield(
    want: Option<bool>,
    have: Option<&Shielding>,
    balancer: impl Fn() -> Ref<LoadBalancer>,
) -> Option<StackOp> {
    match (want?, have.unwrap_or(&Shielding::Nobody)) {
        (true, Shielding::Nobody) => Some(StackOp::Protect(balancer())),
        (false, Shielding::Ours(id)) => Some(StackOp::Unprotect(balancer(), id.clone())),
        (true, Shielding::Ours(_) | Shielding::Theirs) | (false, Shielding::Nobody | Shielding::Theirs) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this(text: &str) -> Option<Attachment> {
        Some(Attachment::This(text.to_owned()))
    }

    #[test]
    fn only_what_is_asked_for_and_differs_is_changed() {
        let seen = AddonsSeen {
            capacity: Some(100),
            web_acl: this("arn:a"),
            classic_acl: Some(Attachment::Nothing),
            shield: Some(Shielding::Ours("p-1".to_owned())),
        };
        let balancer = || Ref::new("shop");
        let nothing = || Some(Attachment::Nothing);
        let cases = [
            ("nothing is asked for", Addons::default(), vec![]),
            (
                "all is as asked for",
                Addons {
                    capacity: Some(100),
                    web_acl: this("arn:a"),
                    classic_acl: nothing(),
                    shield: Some(true),
                },
                vec![],
            ),
            (
                "all is to go",
                Addons { capacity: Some(0), web_acl: nothing(), classic_acl: nothing(), shield: Some(false) },
                vec![
                    StackOp::SetWebAcl(balancer(), Attachment::Nothing),
                    StackOp::Unprotect(balancer(), "p-1".to_owned()),
                    StackOp::ReserveCapacity(balancer(), 0),
                ],
            ),
            (
                "all is to be another",
                Addons { capacity: Some(5), web_acl: this("arn:b"), classic_acl: this("1"), shield: None },
                vec![
                    StackOp::SetWebAcl(balancer(), Attachment::This("arn:b".to_owned())),
                    StackOp::SetClassicAcl(balancer(), Attachment::This("1".to_owned())),
                    StackOp::ReserveCapacity(balancer(), 5),
                ],
            ),
        ];
        for (name, want, ops) in cases {
            assert_eq!(changes("shop", &want, &seen), ops, "{name}");
        }
    }

    #[test]
    fn a_new_load_balancer_has_nothing_and_a_foreign_protection_stays() {
        let want = Addons {
            capacity: Some(0),
            web_acl: Some(Attachment::Nothing),
            shield: Some(true),
            ..Addons::default()
        };
        assert_eq!(changes("new", &want, &AddonsSeen::default()), [StackOp::Protect(Ref::new("new"))]);
        let theirs = AddonsSeen { shield: Some(Shielding::Theirs), ..AddonsSeen::default() };
        for shield in [true, false] {
            assert_eq!(changes("new", &Addons { shield: Some(shield), ..Addons::default() }, &theirs), []);
        }
    }
}
