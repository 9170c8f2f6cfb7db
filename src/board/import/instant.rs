//! Days of instants, in the time zone of the person who imports.

use crate::board::model::Date;

/// Minutes that local time is ahead of UTC at an instant, given in seconds since 1970. Negative west of Greenwich.
///
/// It is asked for each instant, because daylight saving time changes it.
pub type Zone<'a> = &'a dyn Fn(i64) -> i32;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// The local day of an ISO 8601 time such as `2026-11-25T02:00:00.000Z`. A time without an offset is local already.
pub(super) fn day(time: &str, zone: Zone<'_>) -> Option<Date> {
    let date: Date = time.get(..10)?.parse().ok()?;
    match time.get(10..)? {
        "" => Some(date),
        rest => {
            let rest = rest.strip_prefix(['T', 't', ' '])?;
            let (clock, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
            let seconds = days_since_1970(date) * DAY + seconds_of(clock)?;
            match offset {
                "" => Some(date),
                "Z" | "z" => local_day(seconds, zone),
                _ => local_day(seconds - offset_seconds(offset)?, zone),
            }
        }
    }
}

/// The local day at an instant.
pub(super) fn local_day(seconds: i64, zone: Zone<'_>) -> Option<Date> {
    let local = seconds.checked_add(i64::from(zone(seconds)) * MINUTE)?;
    date_of(local.div_euclid(DAY))
}

/// `17:00`, `17:00:00`, `17:00:00.000`.
fn seconds_of(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':');
    let mut seconds = 0;
    for (unit, most) in [(3600, 24), (60, 59), (1, 60)] {
        match parts.next() {
            Some(part) => seconds += unit * two_digits(part.split('.').next()?, most)?,
            None if unit == 1 => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(seconds)
}

/// `+02:00`, `-0330`, `+02`.
fn offset_seconds(offset: &str) -> Option<i64> {
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset[1..].chars().filter(|letter| *letter != ':').collect();
    let minutes = digits.get(2..).filter(|minutes| !minutes.is_empty()).unwrap_or("00");
    Some(sign * (two_digits(digits.get(..2)?, 23)? * 3600 + two_digits(minutes, 59)? * MINUTE))
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| fits && *number <= most)
}

/// Days from 1 January 1970 to a day: "days_from_civil" of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
fn days_since_1970(date: Date) -> i64 {
    let (year, month, day) = date.parts();
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The day that many days after 1 January 1970: "civil_from_days" of the same.
fn date_of(days: i64) -> Option<Date> {
    let days = days.checked_add(719_468)?;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on(time: &str, hours: i32) -> Option<String> {
        day(time, &|_| hours * 60).map(|day| day.to_string())
    }

    #[test]
    fn a_time_is_on_the_local_day() {
        assert_eq!(on("2026-11-25T02:00:00.000Z", -8).as_deref(), Some("2026-11-24"));
        assert_eq!(on("2026-11-25T02:00:00.000Z", 0).as_deref(), Some("2026-11-25"));
        assert_eq!(on("2026-11-23T23:00:00.000Z", 9).as_deref(), Some("2026-11-24"));
        assert_eq!(on("2026-12-31T23:30:00+01:00", 2).as_deref(), Some("2027-01-01"));
        assert_eq!(on("2024-03-01T00:30+0100", 0).as_deref(), Some("2024-02-29"));
    }

    #[test]
    fn a_day_and_a_time_without_an_offset_stay() {
        assert_eq!(on("2026-11-25", -8).as_deref(), Some("2026-11-25"));
        assert_eq!(on("2026-11-25T02:00:00", -8).as_deref(), Some("2026-11-25"));
        assert_eq!(on("2026-11-25 02:00", 8).as_deref(), Some("2026-11-25"));
    }

    #[test]
    fn the_zone_is_asked_for_the_instant() {
        // Central Europe: summer time until 25 October 2026, 01:00 UTC.
        let berlin = |seconds| if seconds < 1_792_890_000 { 120 } else { 60 };
        let on = |time| day(time, &berlin).map(|day| day.to_string());
        assert_eq!(on("2026-10-24T22:00:00Z").as_deref(), Some("2026-10-25"));
        assert_eq!(on("2026-10-25T22:59:00Z").as_deref(), Some("2026-10-25"));
        assert_eq!(on("2026-10-25T23:00:00Z").as_deref(), Some("2026-10-26"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for time in [
            "",
            "2026-11-25T",
            "2026-11-25T2:00Z",
            "2026-11-25T25:00Z",
            "2026-11-25T02:00:00:00Z",
            "2026-11-25T02:00+9",
            "2026-02-30",
            "12026-é1-24",
            "0001-01-01T00:00:00+14:00",
            "2026-11-25T02:00+é",
        ] {
            assert_eq!(on(time, 0), None, "{time}");
        }
    }

    proptest! {
        #[test]
        fn days_are_counted_both_ways(days in -719_162_i64..2_932_896) {
            let date = date_of(days).expect("in the years 1 to 9999");
            prop_assert_eq!(days_since_1970(date), days);
            if days < 2_932_895 {
                prop_assert!(date_of(days + 1) > Some(date));
            }
        }

        #[test]
        fn no_text_makes_it_panic(time in "[0-9TZ:+. é-]{0,30}", offset in any::<i32>()) {
            let _ = day(&time, &|_| offset);
            let _ = day(&format!("2026-11-25T{time}"), &|_| offset);
        }
    }
}
