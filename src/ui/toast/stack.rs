//! Which toasts are there, and until when. Pure: it is told the time.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::time::{Moment, UnixMillis};

/// Most toasts that are shown at once; the others wait behind them, and show when the stack is hovered or focused.
pub const SHOWN: usize = 3;

/// How long a toast stays, unless it says otherwise. Time in which the person hovers over the stack, has the focus in it, or does
/// not see the page is not counted.
pub const DURATION: Duration = Duration::from_secs(6);

/// Messages that the log goes back.
const LOGGED: usize = 50;

/// What a toast is about. It gives the colour, the icon, and how it is said aloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Something happened.
    #[default]
    Plain,
    /// Something went well.
    Success,
    /// Something is amiss, and nothing is at risk.
    Warning,
    /// Something may be lost. The only kind that interrupts what a screen reader is saying.
    Danger,
    /// Something is under way.
    Busy,
}

impl Kind {
    /// Its name, for the stylesheet.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
            Self::Busy => "busy",
        }
    }
}

/// What a person can do about a toast.
#[derive(Clone)]
pub struct Action {
    /// What the button says.
    pub label: Cow<'static, str>,
    /// What it does. The toast goes.
    pub run: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What a toast is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ToastId {
    /// The name it was given: there is one of that name at most.
    Named(Cow<'static, str>),
    /// It was given none.
    Numbered(u64),
}

/// One message.
#[derive(Clone, Debug)]
pub struct Toast {
    /// What it is about.
    pub kind: Kind,
    /// What it says.
    pub text: String,
    /// What can be done about it.
    pub action: Option<Action>,
    /// How long it stays; `None` until it is dismissed.
    pub stays: Option<Duration>,
    /// The name that it is known by. Shown again under the same name, it takes the place of the one before.
    pub name: Option<Cow<'static, str>>,
}

impl Toast {
    /// A plain message that stays for [`DURATION`].
    pub fn new(text: impl Into<String>) -> Self {
        Self { kind: Kind::Plain, text: text.into(), action: None, stays: Some(DURATION), name: None }
    }

    /// Of another kind.
    #[must_use]
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// With a button.
    #[must_use]
    pub fn action(self, label: impl Into<Cow<'static, str>>, run: impl Fn() + Send + Sync + 'static) -> Self {
        Self { action: Some(Action { label: label.into(), run: Arc::new(run) }), ..self }
    }

    /// For another time.
    #[must_use]
    pub fn for_time(self, time: Duration) -> Self {
        Self { stays: Some(time), ..self }
    }

    /// Until it is dismissed.
    #[must_use]
    pub fn lasting(self) -> Self {
        Self { stays: None, ..self }
    }

    /// Under a name: there is one of that name at most.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }
}

/// A toast that is there.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it is known by.
    pub id: ToastId,
    /// What it says.
    pub toast: Toast,
    /// How often the same was said while it was there.
    pub times: u32,
    clock: Clock,
}

/// How long it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Lasting,
    Running { until: Moment },
    Stopped { left: Duration },
}

/// Why no toast's time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The pointer is over the stack.
    Hovered,
    /// The focus is in the stack.
    Focused,
    /// Nobody sees the page.
    Hidden,
}

/// A message that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// When, on the wall clock.
    pub at: UnixMillis,
    /// What it was about.
    pub kind: Kind,
    /// What it said.
    pub text: String,
}

/// The toasts that are there, the newest first, and a log of what was shown.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    toasts: Vec<Shown>,
    log: VecDeque<Logged>,
    numbered: u64,
    hovered: bool,
    focused: bool,
    hidden: bool,
}

impl Stack {
    /// Shows a toast. One of the same name, or with the same to say, is there no second time: it stays where it is, says what is
    /// to be said now, and its time begins again.
    pub fn show(&mut self, toast: Toast, now: Moment, at: UnixMillis) -> ToastId {
        let same = self.toasts.iter().position(|shown| match &toast.name {
            Some(name) => matches!(&shown.id, ToastId::Named(other) if other == name),
            None => {
                matches!(shown.id, ToastId::Numbered(_))
                    && (shown.toast.kind, &shown.toast.text) == (toast.kind, &toast.text)
            }
        });
        let clock = self.clock(toast.stays, now);
        let repeats = same.is_some_and(|at| self.toasts[at].toast.text == toast.text);
        if !repeats {
            self.note(&toast, at);
        }
        if let Some(at) = same {
            let shown = &mut self.toasts[at];
            shown.times = if repeats && toast.name.is_none() { shown.times + 1 } else { 1 };
            shown.toast = toast;
            shown.clock = clock;
            return shown.id.clone();
        }
        let id = match toast.name.clone() {
            Some(name) => ToastId::Named(name),
            None => {
                self.numbered += 1;
                ToastId::Numbered(self.numbered)
            }
        };
        self.toasts.insert(0, Shown { id: id.clone(), toast, times: 1, clock });
        id
    }

    /// Shows a toast in the place of the one that is known by `id`; as a new one, if that is gone.
    pub fn update(&mut self, id: &ToastId, toast: Toast, now: Moment, at: UnixMillis) -> ToastId {
        let Some((place, _)) = self.find(id) else { return self.show(toast, now, at) };
        self.note(&toast, at);
        let clock = self.clock(toast.stays, now);
        self.toasts[place] = Shown { id: id.clone(), toast, times: 1, clock };
        id.clone()
    }

    /// Takes a toast away. Returns whether it was there.
    pub fn dismiss(&mut self, id: &ToastId) -> bool {
        let before = self.toasts.len();
        self.toasts.retain(|shown| shown.id != *id);
        self.toasts.len() < before
    }

    /// No toast's time runs while one of the reasons holds. Returns whether that is news.
    pub fn pause(&mut self, why: Pause, holds: bool, now: Moment) -> bool {
        let was_stopped = self.is_stopped();
        let reason = match why {
            Pause::Hovered => &mut self.hovered,
            Pause::Focused => &mut self.focused,
            Pause::Hidden => &mut self.hidden,
        };
        let news = *reason != holds;
        *reason = holds;
        let stopped = self.is_stopped();
        if stopped != was_stopped {
            for shown in &mut self.toasts {
                shown.clock = match shown.clock {
                    Clock::Running { until } if stopped => Clock::Stopped { left: until.since(now) },
                    Clock::Stopped { left } if !stopped => Clock::Running { until: now + left },
                    clock => clock,
                };
            }
        }
        news
    }

    /// When [`Stack::expire`] is due, if time alone leads on.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.toasts
            .iter()
            .filter_map(|shown| match shown.clock {
                Clock::Running { until } => Some(until),
                Clock::Lasting | Clock::Stopped { .. } => None,
            })
            .min()
    }

    /// Takes away the toasts whose time is over.
    pub fn expire(&mut self, now: Moment) {
        self.toasts.retain(|shown| !matches!(shown.clock, Clock::Running { until } if until <= now));
    }

    /// The toasts that are there, the newest first.
    #[must_use]
    pub fn toasts(&self) -> &[Shown] {
        &self.toasts
    }

    /// The toast that is known by `id`, and its place.
    #[must_use]
    pub fn find(&self, id: &ToastId) -> Option<(usize, &Shown)> {
        self.toasts.iter().enumerate().find(|(_, shown)| shown.id == *id)
    }

    /// Whether the stack is laid out whole: someone hovers over it or has the focus in it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.hovered || self.focused
    }

    /// What was shown, the last first.
    #[must_use]
    pub const fn log(&self) -> &VecDeque<Logged> {
        &self.log
    }

    fn note(&mut self, toast: &Toast, at: UnixMillis) {
        self.log.push_front(Logged { at, kind: toast.kind, text: toast.text.clone() });
        self.log.truncate(LOGGED);
    }

    const fn is_stopped(&self) -> bool {
        self.hovered || self.focused || self.hidden
    }

    fn clock(&self, stays: Option<Duration>, now: Moment) -> Clock {
        match stays {
            None => Clock::Lasting,
            Some(left) if self.is_stopped() => Clock::Stopped { left },
            Some(time) => Clock::Running { until: now + time },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Moment {
        Moment::from_millis(s * 1_000)
    }

    fn texts(stack: &Stack) -> Vec<&str> {
        stack.toasts().iter().map(|shown| shown.toast.text.as_str()).collect()
    }

    #[test]
    fn the_newest_is_first_and_each_goes_in_its_time() {
        let mut stack = Stack::default();
        stack.show(Toast::new("one"), at(0), 0);
        stack.show(Toast::new("two").for_time(Duration::from_secs(2)), at(1), 0);
        stack.show(Toast::new("three").lasting(), at(1), 0);
        assert_eq!(texts(&stack), ["three", "two", "one"]);
        assert_eq!(stack.deadline(), Some(at(3)));
        stack.expire(at(2));
        assert_eq!(texts(&stack).len(), 3);
        stack.expire(at(3));
        assert_eq!(texts(&stack), ["three", "one"]);
        stack.expire(at(6));
        assert_eq!((texts(&stack), stack.deadline()), (vec!["three"], None));
    }

    #[test]
    fn one_of_the_same_name_takes_its_place_and_begins_its_time_again() {
        let mut stack = Stack::default();
        let first = stack.show(Toast::new("Offline").lasting().named("line"), at(0), 0);
        stack.show(Toast::new("Card archived"), at(0), 0);
        let again = stack.show(Toast::new("Back").kind(Kind::Success).named("line"), at(1), 1);
        assert_eq!(first, again);
        assert_eq!(texts(&stack), ["Card archived", "Back"], "where it was");
        assert_eq!(stack.toasts()[1].toast.kind, Kind::Success);
        stack.expire(at(6));
        assert_eq!(texts(&stack), ["Back"]);
        stack.expire(at(7));
        assert_eq!(texts(&stack), [""; 0]);
        let log: Vec<_> = stack.log().iter().map(|logged| logged.text.as_str()).collect();
        assert_eq!(log, ["Back", "Card archived", "Offline"]);
    }

    #[test]
    fn the_same_again_is_counted_not_stacked() {
        let mut stack = Stack::default();
        let id = stack.show(Toast::new("Too long"), at(0), 0);
        assert_eq!(stack.show(Toast::new("Too long"), at(5), 0), id);
        assert_eq!((stack.toasts().len(), stack.toasts()[0].times), (1, 2));
        stack.expire(at(6));
        assert_eq!(stack.toasts().len(), 1, "its time began again");
        assert_eq!(stack.log().len(), 1);
        assert_ne!(stack.show(Toast::new("Too long").kind(Kind::Danger), at(6), 0), id, "another kind is another");
    }

    #[test]
    fn no_time_runs_while_someone_looks_or_nobody_can() {
        let mut stack = Stack::default();
        stack.show(Toast::new("one"), at(0), 0);
        assert!(stack.pause(Pause::Hovered, true, at(2)));
        assert!(!stack.pause(Pause::Hovered, true, at(2)), "no news");
        stack.pause(Pause::Hidden, true, at(3));
        stack.show(Toast::new("two").for_time(Duration::from_secs(1)), at(50), 0);
        assert_eq!(stack.deadline(), None);
        stack.pause(Pause::Hovered, false, at(60));
        assert_eq!(stack.deadline(), None, "one reason is left");
        stack.pause(Pause::Hidden, false, at(100));
        assert_eq!(stack.deadline(), Some(at(101)));
        stack.expire(at(101));
        assert_eq!((texts(&stack), stack.deadline()), (vec!["one"], Some(at(104))), "each has what it had left");
    }

    #[test]
    fn what_is_dismissed_is_gone_once() {
        let mut stack = Stack::default();
        let id = stack.show(Toast::new("one").lasting(), at(0), 0);
        assert!(stack.dismiss(&id));
        assert!(!stack.dismiss(&id));
        assert_ne!(stack.show(Toast::new("one"), at(0), 0), id, "an id is not used again");
    }

    #[test]
    fn one_is_updated_by_its_id_and_shown_anew_if_it_is_gone() {
        let mut stack = Stack::default();
        let id = stack.show(Toast::new("Importing…").kind(Kind::Busy).lasting(), at(0), 0);
        stack.show(Toast::new("other"), at(0), 0);
        assert_eq!(stack.update(&id, Toast::new("Imported."), at(1), 1), id);
        assert_eq!((texts(&stack), stack.log()[0].text.as_str()), (vec!["other", "Imported."], "Imported."));
        assert_eq!(stack.deadline(), Some(at(6)));
        stack.expire(at(7));
        assert_ne!(stack.update(&id, Toast::new("Again."), at(8), 8), id);
        assert_eq!(texts(&stack), ["Again."]);
    }

    #[test]
    fn the_log_has_an_end() {
        let mut stack = Stack::default();
        for n in 0..100 {
            stack.show(Toast::new(format!("{n}")), at(n), n);
        }
        assert_eq!((stack.log().len(), stack.log()[0].text.as_str()), (50, "99"));
    }
}
