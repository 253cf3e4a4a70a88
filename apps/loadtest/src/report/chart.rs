//! Charts as SVG within the page: lines over time, and bars.

use std::fmt::Write;

use super::html::escape;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 200.0;
/// Room for the labels of the axes, the title above and the names below.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 42.0;

/// Colours that can be told apart without seeing red and green.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// A line of a chart.
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: String,
    /// Its points: one each unit of the horizontal axis, or each with its own place there.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Line {
    /// Makes a line of values at even steps.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    pub(crate) fn even(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let points = values.into_iter().enumerate().map(|(index, value)| (index as f64, value)).collect();
        Self { name: name.to_owned(), points }
    }
}

/// Draws lines; the horizontal axis may be logarithmic.
pub(crate) fn lines(title: &str, across: &str, lines: &[Line], logarithmic: bool) -> String {
    let place = |x: f64| if logarithmic { x.max(1.0).log10() } else { x };
    let points = || lines.iter().flat_map(|line| &line.points);
    let xs = || points().map(|point| place(point.0));
    let (left, right) = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
    let most = round_up(points().map(|point| point.1).fold(0.0, f64::max));
    let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * share(place(value) - left, right - left);
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share(value, most));
    let mut body = frame(most);
    for (index, line) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let path: Vec<String> =
            line.points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b))).collect();
        let path = path.join(" ");
        let _ = write!(
            body,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" points=\"{path}\"/>"
        );
        if let ([only], true) = (&line.points[..], true) {
            let _ = write!(
                body,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(only.0),
                y(only.1)
            );
        }
    }
    if left.is_finite() {
        let label = |place: f64| if logarithmic { 10_f64.powf(place) } else { place };
        for (at, anchor, value) in [(LEFT, "start", label(left)), (WIDTH - RIGHT, "end", label(right))] {
            let value = short(value);
            let _ = write!(
                body,
                "<text x=\"{at:.0}\" y=\"{:.0}\" text-anchor=\"{anchor}\">{value}</text>",
                HEIGHT - BOTTOM + 13.0
            );
        }
    }
    let middle = LEFT.midpoint(WIDTH - RIGHT);
    let _ = write!(
        body,
        "<text x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
        HEIGHT - BOTTOM + 13.0,
        escape(across)
    );
    svg(title, &(body + &legend(lines)))
}

/// Draws bars, each with its name below.
#[expect(clippy::cast_precision_loss, reason = "a chart has few bars")]
pub(crate) fn bars(title: &str, bars: &[(String, f64)]) -> String {
    let most = round_up(bars.iter().map(|bar| bar.1).fold(0.0, f64::max));
    let step = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
    let mut body = frame(most);
    for (index, (name, value)) in bars.iter().enumerate() {
        let x = LEFT + step * index as f64;
        let height = (HEIGHT - TOP - BOTTOM) * share(*value, most);
        let _ = write!(
            body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{}\"/>\
            <text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            x + step * 0.12,
            HEIGHT - BOTTOM - height,
            step * 0.76,
            COLOURS[0],
            x + step / 2.0,
            HEIGHT - BOTTOM + 13.0,
            escape(name)
        );
    }
    svg(title, &body)
}

fn svg(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\
        <text x=\"{LEFT}\" y=\"15\" font-weight=\"600\">{title}</text>{body}</svg>\n"
    )
}

/// Draws the vertical axis with three marks.
fn frame(most: f64) -> String {
    let mut marks = String::new();
    for part in [0.0, 0.5, 1.0] {
        let y = TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - part);
        let label = short(most * part);
        let _ = write!(
            marks,
            "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
            <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 5.0,
            y + 4.0
        );
    }
    marks
}

#[expect(clippy::cast_precision_loss, reason = "a chart has few lines")]
fn legend(lines: &[Line]) -> String {
    let step = (WIDTH - LEFT) / lines.len().max(1) as f64;
    let mut names = String::new();
    for (index, line) in lines.iter().enumerate() {
        let x = LEFT + step * index as f64;
        let (y, colour) = (HEIGHT - 8.0, COLOURS[index % COLOURS.len()]);
        let _ = write!(
            names,
            "<rect x=\"{x:.0}\" y=\"{:.0}\" width=\"8\" height=\"8\" fill=\"{colour}\"/>\
            <text x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
            y - 8.0,
            x + 11.0,
            escape(&line.name)
        );
    }
    names
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// Returns the next of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value * 0.999)
        .unwrap_or(value)
}

/// Writes a number in at most four places.
fn short(value: f64) -> String {
    let trim = |text: String| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match value.abs() {
        0.0 => "0".into(),
        small if small < 10.0 => trim(format!("{value:.2}")),
        below if below < 10_000.0 => format!("{value:.0}"),
        thousands if thousands < 1e6 => format!("{:.0}k", value / 1e3),
        _ => trim(format!("{:.1}", value / 1e6)) + "M",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expected) in
            [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (13.0, 20.0), (4_999.0, 5_000.0), (51.0, 100.0)]
        {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, expected) in
            [(0.0, "0"), (0.5, "0.5"), (7.25, "7.25"), (350.0, "350"), (20_000.0, "20k"), (1e7, "10M")]
        {
            assert_eq!(short(value), expected);
        }
    }

    #[test]
    fn lines_stay_in_their_frame() {
        let chart = lines("p99 <ms>", "s", &[Line::even("a & b", [0.0, 10.0, 5.0])], false);
        assert!(chart.contains("points=\"48.0,158.0 199.0,24.0 350.0,91.0\""), "{chart}");
        assert!(chart.contains("p99 &lt;ms&gt;") && chart.contains("a &amp; b"), "{chart}");
        let line = Line { name: "n".into(), points: vec![(1.0, 1.0), (10.0, 1.0), (100.0, 1.0)] };
        assert!(lines("log", "x", &[line], true).contains("points=\"48.0,24.0 199.0,24.0 350.0,24.0\""));
    }

    #[test]
    fn nothing_can_be_drawn_too() {
        assert!(lines("none", "s", &[], false).starts_with("<svg"));
        assert!(bars("none", &[]).starts_with("<svg"));
        let chart = bars("two", &[("1".into(), 4.0), ("2".into(), 2.0)]);
        assert_eq!(chart.matches("<rect").count(), 2);
        assert!(chart.contains("height=\"107.2\"") && chart.contains("height=\"53.6\""), "{chart}");
    }
}
