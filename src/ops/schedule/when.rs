//! When a backup runs: every so often, or at times in the runner's own language.

use std::str::FromStr;

use super::{Error, Runner};

/// When a backup runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum When {
    /// At even intervals.
    Every(Every),
    /// At these times: an event of systemd's calendar, or the five fields of cron.
    At(String),
}

/// An interval that divides an hour, a day or a week, which is all that cron can say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Every {
    /// So many minutes: 5 to 30.
    Minutes(u8),
    /// So many hours: 1 to 12.
    Hours(u8),
    /// Once a day.
    Day,
    /// Once a week.
    Week,
}

/// Two numbers out of which the first moment is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) hour: u8,
    pub(super) minute: u8,
}

impl Moment {
    /// Returns a minute below `limit` that is not 0, when everybody else begins.
    fn minute(self, limit: u8) -> u8 {
        1 + self.minute % (limit - 1)
    }

    /// Returns an hour at night that no change of the clocks skips or repeats.
    fn hour(self) -> u8 {
        3 + self.hour % 3
    }
}

impl FromStr for Every {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "hourly" => return Ok(Self::Hours(1)),
            "daily" => return Ok(Self::Day),
            "weekly" => return Ok(Self::Week),
            _ => {}
        }
        let refused = || Error::Every { text: text.to_owned() };
        let length: jiff::SignedDuration = text.parse().map_err(|_| refused())?;
        let seconds = length.as_secs();
        if length.subsec_nanos() != 0 || seconds % 60 != 0 {
            return Err(refused());
        }
        match u16::try_from(seconds / 60) {
            Ok(minutes @ 5..=30) if 60 % minutes == 0 => {
                Ok(Self::Minutes(u8::try_from(minutes).map_err(|_| refused())?))
            }
            Ok(minutes @ 60..=720) if 1440 % minutes == 0 && minutes % 60 == 0 => {
                Ok(Self::Hours(u8::try_from(minutes / 60).map_err(|_| refused())?))
            }
            Ok(1440) => Ok(Self::Day),
            Ok(10_080) => Ok(Self::Week),
            _ => Err(refused()),
        }
    }
}

impl Every {
    fn seconds(self) -> u32 {
        match self {
            Self::Minutes(minutes) => 60 * u32::from(minutes),
            Self::Hours(hours) => 3600 * u32::from(hours),
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        }
    }
}

impl When {
    /// Returns the five fields of cron.
    pub(super) fn cron(&self, at: Moment) -> String {
        let (hour, minute) = (at.hour(), at.minute(60));
        match self {
            Self::At(text) => text.clone(),
            Self::Every(Every::Minutes(step)) => {
                let minutes = (at.minute(*step)..60).step_by(usize::from(*step));
                let minutes: Vec<String> = minutes.map(|minute| minute.to_string()).collect();
                format!("{} * * * *", minutes.join(","))
            }
            Self::Every(Every::Hours(1)) => format!("{minute} * * * *"),
            Self::Every(Every::Hours(step)) => format!("{minute} */{step} * * *"),
            Self::Every(Every::Day) => format!("{minute} {hour} * * *"),
            Self::Every(Every::Week) => format!("{minute} {hour} * * 0"),
        }
    }

    /// Returns an event of systemd's calendar.
    pub(super) fn calendar(&self, at: Moment) -> String {
        let (hour, minute) = (at.hour(), at.minute(60));
        match self {
            Self::At(text) => text.clone(),
            Self::Every(Every::Minutes(step)) => format!("*:{:02}/{step}:00", at.minute(*step)),
            Self::Every(Every::Hours(1)) => format!("*:{minute:02}:00"),
            Self::Every(Every::Hours(step)) => format!("00/{step}:{minute:02}:00"),
            Self::Every(Every::Day) => format!("*-*-* {hour:02}:{minute:02}:00"),
            Self::Every(Every::Week) => format!("Sun *-*-* {hour:02}:{minute:02}:00"),
        }
    }

    /// Returns by how many seconds a run may be put off at random: 10 minutes, or less where there
    /// is not the time.
    pub(super) fn jitter(&self) -> u32 {
        match self {
            Self::Every(every) => (every.seconds() / 4).min(600),
            Self::At(_) => 600,
        }
    }

    /// Returns after how many seconds a run is given up, or begun no more: when the next one is
    /// due, an hour at most.
    pub(super) fn timeout(&self) -> u32 {
        match self {
            Self::Every(every) => every.seconds().min(3600),
            Self::At(_) => 3600,
        }
    }

    pub(super) fn check(&self, runner: Runner) -> Result<(), Error> {
        let Self::At(text) = self else { return Ok(()) };
        let problem = match runner {
            Runner::Systemd => not_a_calendar_event(text),
            Runner::Cron | Runner::Kubernetes | Runner::Github => not_five_fields(text),
        };
        match problem {
            Some(problem) => Err(Error::Calendar { text: text.clone(), problem }),
            None => Ok(()),
        }
    }
}

fn not_a_calendar_event(text: &str) -> Option<&'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || " *,:/.~-_+".contains(c);
    let is_some = text.chars().any(|c| c.is_ascii_alphanumeric());
    let is_cron = |c: char| c.is_ascii_digit() || " *,/-".contains(c);
    if text.split_whitespace().count() == 5 && text.chars().all(is_cron) {
        return Some("these are fields of cron; systemd writes `Mon..Fri 02:30`");
    }
    (!is_some || !text.chars().all(is_part)).then_some("it is no event of systemd's calendar")
}

/// What each field of cron counts.
const FIELDS: [(u8, u8, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

fn not_five_fields(text: &str) -> Option<&'static str> {
    let fields: Vec<&str> = text.split(' ').collect();
    if fields.len() != FIELDS.len() {
        return Some("cron has five fields with one space between them");
    }
    let fits = fields
        .iter()
        .zip(FIELDS)
        .all(|(text, field)| text.split(',').all(|item| is_item(item, field)));
    (!fits).then_some("cron cannot read one of its fields")
}

/// Returns whether this is `*`, `A` or `A-B`, with `/N` behind it or not.
fn is_item(text: &str, (least, most, names): (u8, u8, &[&str])) -> bool {
    let (range, step) = text.split_once('/').unwrap_or((text, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = |text: &str| {
        let number = text.parse().ok().filter(|_| is_number(text));
        names.iter().any(|name| name.eq_ignore_ascii_case(text))
            || number.is_some_and(|number| (least..=most).contains(&number))
    };
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let is_range = range == "*" || (value(from) && value(to));
    is_range && is_number(step) && step.parse::<u8>().is_ok_and(|step| step > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment { hour: 1, minute: 16 };

    #[test]
    fn intervals_are_the_same_in_every_language() {
        let cases = [
            ("15m", "3,18,33,48 * * * *", "*:03/15:00", 225),
            ("hourly", "17 * * * *", "*:17:00", 600),
            ("60m", "17 * * * *", "*:17:00", 600),
            ("6h", "17 */6 * * *", "00/6:17:00", 600),
            ("daily", "17 4 * * *", "*-*-* 04:17:00", 600),
            ("24h", "17 4 * * *", "*-*-* 04:17:00", 600),
            ("weekly", "17 4 * * 0", "Sun *-*-* 04:17:00", 600),
        ];
        for (every, cron, calendar, jitter) in cases {
            let when = When::Every(every.parse().unwrap());
            assert_eq!((when.cron(AT).as_str(), when.calendar(AT).as_str()), (cron, calendar));
            assert_eq!(when.jitter(), jitter, "{every}");
            assert!(when.check(Runner::Cron).is_ok());
        }
    }

    #[test]
    fn intervals_that_cron_cannot_say_are_refused() {
        for every in ["", "7m", "1m", "45m", "90m", "5h", "36h", "30s", "-1h", "soon", "1h 1ns"] {
            assert!(matches!(every.parse::<Every>(), Err(Error::Every { .. })), "{every}");
        }
    }

    #[test]
    fn every_interval_is_five_fields() {
        for every in ["5m", "30m", "hourly", "12h", "daily", "weekly"] {
            let fields = When::Every(every.parse().unwrap()).cron(AT);
            assert_eq!(not_five_fields(&fields), None, "{fields}");
        }
    }

    #[test]
    fn times_are_in_the_language_of_the_runner() {
        let check = |text: &str, runner| When::At(text.to_owned()).check(runner).is_ok();
        for text in ["5 4 * * *", "*/5 0-6/2 1,15 JAN-mar mon-FRI"] {
            assert!(check(text, Runner::Cron), "{text}");
        }
        let wrong = [
            "",
            "@daily",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "* * * * 8",
            "1  * * *",
            "*/0 * * * *",
            "+5 * * * *",
            "* * * * * rm",
            "1-* * * * *",
            "5 4 * * *\n",
        ];
        for text in wrong {
            assert!(!check(text, Runner::Cron), "{text}");
            assert!(!check(text, Runner::Github), "{text}");
        }
        assert!(check("Mon..Fri *-*-* 02:30:00 Europe/Berlin", Runner::Systemd));
        for text in ["", "*", "daily\nExecStart=/bin/sh", "daily;", "%h"] {
            assert!(!check(text, Runner::Systemd), "{text}");
        }
    }
}
