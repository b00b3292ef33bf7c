//! Plots of good and of bad values: well formed, and with what was asked for.

use roxmltree::{Document, Node};

use super::*;
use crate::dim::D;
use crate::error::Error;
use crate::tensor::Tensor;
use crate::train::{EpochRecord, History};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// The document, which is well formed, of one root with a title, and without links.
fn parsed(svg: &Svg) -> Document<'_> {
    let document = Document::parse(svg.as_str()).unwrap_or_else(|e| panic!("{e}: {svg}"));
    let root = document.root_element();
    assert!(root.has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    assert!(root.children().any(|child| child.tag_name().name() == "title"));
    for node in document.descendants() {
        for attribute in node.attributes() {
            assert!(!attribute.value().contains("http"), "{attribute:?}");
            assert!(!attribute.value().contains("NaN"), "{attribute:?}");
        }
    }
    document
}

fn named<'d>(document: &'d Document<'_>, name: &'static str) -> Vec<Node<'d, 'd>> {
    document.descendants().filter(|node| node.tag_name().name() == name).collect()
}

/// The curves: lines as thick as those of data.
fn curves_of(document: &Document<'_>) -> usize {
    let is_curve = |node: &Node<'_, '_>| {
        node.attribute("stroke-width") == Some("20")
            && node.attribute("points").is_some_and(|it| it.split_whitespace().count() > 2)
    };
    named(document, "polyline").into_iter().filter(is_curve).count()
}

/// The circles of data; those of the legend are as high as it is.
fn dots(document: &Document<'_>) -> usize {
    let y = |node: &Node<'_, '_>| node.attribute("cy").unwrap().parse::<i32>().unwrap();
    named(document, "circle").iter().filter(|node| y(node) > 450).count()
}

fn texts(document: &Document<'_>) -> String {
    let texts: Vec<_> = named(document, "text").iter().filter_map(|node| node.text()).collect();
    texts.join("|")
}

#[test]
fn points_and_a_fitted_line() {
    let points = [(0.0f32, 1.0f32), (1.0, 3.0), (2.0, 5.0)];
    let plot = Plot::new("fit").axes("x", "y").points("data", points);
    let svg = plot.function("2x + 1", |x| 2.0 * x + 1.0).svg().unwrap();
    let document = parsed(&svg);
    assert_eq!((dots(&document), curves_of(&document)), (3, 1));
    let texts = texts(&document);
    for text in ["fit", "x", "y", "data", "2x + 1", "0.5"] {
        assert!(texts.split('|').any(|it| it.trim() == text), "{text} in {texts}");
    }
}

#[test]
fn degenerate_values_have_a_plot() {
    let of: [&[(f64, f64)]; 7] = [
        &[],
        &[(1.0, 2.0)],
        &[(1.0, 2.0), (1.0, 2.0), (1.0, 2.0)],
        &[(NAN, NAN), (INF, 1.0)],
        &[(0.0, f64::MAX), (1.0, f64::MIN), (2.0, 0.0)],
        &[(0.0, 5e-324), (5e-324, 0.0)],
        &[(-1e300, -1.0), (1e300, -2.0)],
    ];
    for points in of {
        let plot = || Plot::new("x").points("p", points.to_vec()).line("l", points.to_vec());
        let plot = || plot().function("f", |x| 1.0 / x).mark(NAN, "m").mark(1.0, "n");
        parsed(&plot().svg().unwrap());
        parsed(&plot().log_y().counting_x().svg().unwrap());
        parsed(&histogram("h", points.iter().map(|(x, _)| *x)).unwrap());
        let places = points.iter().map(|(x, y)| [*x, *y]);
        let boundary = Boundary::new("b", places, points.iter().map(|_| u32::MAX)).unwrap();
        parsed(&boundary.by(|[x, _]| (x > 0.0).into()).svg().unwrap());
    }
}

#[test]
fn a_line_has_gaps_where_values_have_no_place() {
    let line = [(0.0, 1.0), (1.0, 2.0), (2.0, 1.5), (3.0, NAN), (4.0, 1.0), (5.0, INF)];
    let svg = Plot::new("gaps").line("loss", line).svg().unwrap();
    let document = parsed(&svg);
    // Three points, and one alone.
    assert_eq!((curves_of(&document), dots(&document)), (1, 1));
    assert!(texts(&document).contains("loss (2 not finite)"));
}

#[test]
fn a_mark_says_its_word_where_the_lines_are_not() {
    let at = |line: fn(i32) -> f64| {
        let plot = Plot::new("mark").line("l", (0..=10).map(|i| (i, line(i)))).mark(8.0, "word");
        let svg = plot.svg().unwrap();
        let document = parsed(&svg);
        let is_word = |node: &Node<'_, '_>| node.text().is_some_and(|text| text.trim() == "word");
        let y = named(&document, "text").into_iter().find(is_word);
        y.and_then(|node| node.attribute("y")?.parse::<i32>().ok()).unwrap()
    };
    assert!(at(|i| 0.5_f64.powi(i)) < 1000);
    assert!(at(|i| 1.0 - 0.5_f64.powi(i)) > 2500);
}

#[test]
fn a_function_far_from_the_points_leaves_them_their_range() {
    let points = [(0.0, 1.0), (1.0, 2.0)];
    let svg = Plot::new("far").points("p", points).function("f", |x| 1e6 * x).svg().unwrap();
    assert!(texts(&parsed(&svg)).contains("1.6"), "{svg}");
}

#[test]
fn a_long_line_is_thinned_and_keeps_its_peaks() {
    let peak = |i: u32| if i == 54_321 { 1000.0 } else { f64::from(i % 7) };
    let svg = Plot::new("long").line("l", (0..100_000).map(|i| (i, peak(i)))).svg().unwrap();
    assert!(svg.as_str().len() < 40_000, "{}", svg.as_str().len());
    assert!(texts(&parsed(&svg)).contains("1000"));
}

#[test]
fn a_long_line_keeps_its_gaps() {
    let value = |i: u32| if (20_000..30_000).contains(&i) { NAN } else { f64::from(i % 7) };
    let svg = Plot::new("gap").line("l", (0..100_000).map(|i| (i, value(i)))).svg().unwrap();
    assert_eq!(curves_of(&parsed(&svg)), 2);
    // So do logarithms, where a number that is not positive has no place.
    let value = |i: u32| if i == 50_000 { 0.0 } else { 1.0 + f64::from(i % 7) };
    let plot = Plot::new("gap").line("l", (0..100_000).map(|i| (i, value(i)))).log_y();
    assert_eq!(curves_of(&parsed(&plot.svg().unwrap())), 2);
}

#[test]
fn of_very_many_points_those_are_drawn_that_can_be_told_apart() {
    let at = |i: u32| (f64::from(i % 317), f64::from(i % 211));
    let of = |count| Plot::new("p").points("p", (0..count).map(at)).svg().unwrap();
    assert_eq!(dots(&parsed(&of(2400))), 2400);
    let svg = of(300_000);
    let count = dots(&parsed(&svg));
    assert!((15_000..=201 * 131).contains(&count), "{count}");
    // The ones at the ends are among them, and one point far from the others.
    let many = (0..10_000).map(|_| (0.5, 0.5)).chain([(0.0, 0.0), (1.0, 1.0)]);
    let svg = Plot::new("p").points("p", many.chain([(NAN, 0.0)])).svg().unwrap();
    assert_eq!(dots(&parsed(&svg)), 3);
    assert!(texts(&parsed(&svg)).contains("p (1 not finite)"));
}

/// How high a picture is, and the line in it that goes from end to end, in units.
fn heights(svg: &Svg) -> [i32; 2] {
    let document = parsed(svg);
    let view = document.root_element().attribute("viewBox").unwrap();
    let whole: i32 = view.rsplit(' ').next().unwrap().parse().unwrap();
    let lines = named(&document, "polyline").into_iter().filter_map(|node| {
        let points = node.attribute("points")?.split_whitespace();
        let ys: Vec<i32> =
            points.map(|it| it.split(',').nth(1).unwrap().parse().unwrap()).collect();
        Some(ys.iter().max()? - ys.iter().min()?)
    });
    [whole / 10, lines.max().unwrap() / 10]
}

#[test]
fn a_legend_of_many_or_long_names_leaves_the_plot_its_room() {
    let of = |names: &[String]| {
        let line = [(0.0, 0.0), (0.5, 0.7), (1.0, 1.0)];
        let plot = Plot::new("legend").axes("x", "y");
        names.iter().fold(plot, |plot, name| plot.line(name, line)).svg().unwrap()
    };
    let [height, room] = heights(&of(&["y".to_owned()]));
    assert_eq!(height, 320);
    assert!(room > 180, "{room}");
    let weights: Vec<_> = (0..8).map(|i| format!("blocks.{i}.attention.qkv.weight")).collect();
    // Two names fit a line.
    assert_eq!(heights(&of(&weights)), [height + 3 * 18, room]);
    let long: Vec<_> = (0..24).map(|i| format!("{i} {} end {i}", "long".repeat(100))).collect();
    let svg = of(&long);
    assert_eq!(heights(&svg), [height + 11 * 18, room]);
    let document = parsed(&svg);
    let texts = texts(&document);
    let entry = texts.split('|').map(str::trim).find(|text| text.starts_with("7 long")).unwrap();
    assert!(entry.ends_with("long end 7") && entry.chars().count() < 30, "{entry}");
}

#[test]
fn titles_and_names_are_texts_whatever_they_are() {
    let bad = "</text><script>alert(\"1\")</script> & \u{0}\u{1b}";
    let plot = Plot::new(bad).axes(bad, bad).line(bad, [(0.0, 1.0), (1.0, 2.0)]).mark(0.5, bad);
    let svg = plot.svg().unwrap();
    let document = parsed(&svg);
    assert_eq!(named(&document, "script").len(), 0);
    assert!(texts(&document).contains("</text><script>"));
    let weight = Tensor::<(D<2>, D<2>)>::zeros((D, D));
    parsed(&heat_map(bad, &weight).unwrap());
    let boundary = Boundary::new(bad, [[0.0, 1.0]], [0]).unwrap().axes(bad, bad).names([bad]);
    parsed(&boundary.svg().unwrap());
}

fn history(losses: &[(f64, Option<f64>)]) -> History {
    let mut history = History::default();
    for (i, (train, validation)) in losses.iter().enumerate() {
        history.epochs.push(EpochRecord {
            epoch: i + 1,
            train_loss: *train,
            validation_loss: *validation,
            ..EpochRecord::default()
        });
    }
    history.best_epoch = Some(1);
    history
}

#[test]
fn curves_of_a_training() {
    let losses = [(3.0, Some(2.0)), (1.0, Some(1.5)), (0.5, Some(1.75))];
    let svg = curves(&history(&losses), "loss").unwrap();
    let document = parsed(&svg);
    assert_eq!(curves_of(&document), 2);
    assert!(texts(&document).contains("best by loss: epoch 2"), "{}", texts(&document));
    // Without validation, after one epoch, after none.
    let svg = curves(&history(&[(3.0, None), (2.0, None), (1.0, None)]), "loss").unwrap();
    assert_eq!(curves_of(&parsed(&svg)), 1);
    let svg = curves(&history(&[(3.0, Some(2.0))]), "loss").unwrap();
    assert_eq!(dots(&parsed(&svg)), 2);
    parsed(&curves(&history(&[]), "loss").unwrap());
    parsed(&curves(&history(&[(NAN, Some(INF)), (NAN, Some(-INF))]), "loss").unwrap());
}

#[test]
fn losses_that_differ_by_much_are_placed_by_logarithms() {
    let texts_of = |least| {
        let svg = curves(&history(&[(100.0, None), (least, None)]), "loss").unwrap();
        texts(&parsed(&svg))
    };
    assert!(texts_of(0.1).contains("loss, by its logarithm"));
    assert!(!texts_of(0.0).contains("logarithm"));
    assert!(!texts_of(50.0).contains("logarithm"));
}

#[test]
fn a_figure_that_there_is_not_is_an_error_with_those_that_there_are() {
    let error = curves(&history(&[(1.0, None)]), "f1").unwrap_err();
    assert!(matches!(&error, Error::Invalid(_)));
    assert_eq!(error.to_string(), "the history has no figure `f1`: it has `loss`");
}

#[test]
fn a_boundary_has_a_region_for_each_class() {
    let points = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [NAN, 0.0]];
    let boundary = Boundary::new("b", points, [0, 1, 2, 0]).unwrap();
    let boundary = boundary.by(|[x, y]| usize::from(x > 0.5) + usize::from(y > 0.5));
    let svg = boundary.svg().unwrap();
    let document = parsed(&svg);
    assert_eq!(dots(&document), 3);
    // Four regions and the ground.
    assert_eq!(named(&document, "rect").len(), 5);
    assert!(texts(&document).contains("class 2"));
    let error = Boundary::new("b", points, [0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "points of classes: expected a label for each of 4 points, found 1 labels"
    );
}

#[test]
fn regions_are_what_every_place_is_taken_for() {
    // A circle, whose regions have ends at every height.
    let boundary = Boundary::new("b", [[-1.0, -1.0], [1.0, 1.0]], [0, 1]).unwrap();
    let svg = boundary.by(|[x, y]| (x * x + y * y < 1.0).into()).svg().unwrap();
    let document = parsed(&svg);
    let size = |node: &Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    let tinted =
        named(&document, "rect").into_iter().filter(|node| node.attribute("opacity").is_some());
    let of = |colour: &str| {
        let of_colour = |node: &Node<'_, '_>| node.attribute("fill") == Some(colour);
        let areas = tinted.clone().filter(of_colour);
        areas.map(|node| size(&node, "width") * size(&node, "height")).sum::<f64>()
    };
    let (outside, inside) = (of("#3A86D4"), of("#E0762B"));
    let part = std::f64::consts::PI / (2.0 * 1.12_f64).powi(2);
    assert!((inside / (inside + outside) - part).abs() < 0.01, "{inside} and {outside}");
}

#[test]
fn a_boundary_of_very_many_points_is_small() {
    let points = (0..200_000).map(|i| [f64::from(i % 317), f64::from(i % 211)]);
    let boundary = Boundary::new("b", points, (0..200_000).map(|i| i % 2)).unwrap();
    let svg = boundary.svg().unwrap();
    let count = dots(&parsed(&svg));
    assert!((20_000..2 * 201 * 131).contains(&count), "{count}");
    // Of points in one place, one of each class.
    let points = (0..10_000).map(|i| [f64::from(i / 9_999), 0.0]);
    let boundary = Boundary::new("b", points, (0..10_000).map(|i| i % 3)).unwrap();
    assert_eq!(dots(&parsed(&boundary.svg().unwrap())), 4);
}

#[test]
fn a_large_matrix_is_a_picture_of_means() {
    let values = (0..900 * 600).map(|i| if i / 900 < 2 { 1.0 } else { -3.0 }).collect();
    let matrix = Tensor::<(D<600>, D<900>)>::from_vec(values).unwrap();
    let svg = heat_map("large", &matrix).unwrap();
    assert!(svg.as_str().len() < 40_000, "{}", svg.as_str().len());
    let texts = texts(&parsed(&svg));
    let note = "600 x 900 numbers, a point for the mean of 2 x 2|from -3.000 (blue)";
    assert!(texts.contains(note), "{texts}");
}

#[test]
fn long_texts_are_cut_to_their_room() {
    let long = "A rather long text about what can be seen here, and where it comes from ".repeat(3);
    let plot = Plot::new(&long).axes(&long, &long).line("y", [(0.0, 0.0), (1.0, 1.0)]);
    let matrix = Tensor::<(D<2>, D<2>)>::zeros((D, D));
    for svg in [plot.mark(0.5, &long).svg().unwrap(), heat_map(&long, &matrix).unwrap()] {
        let document = parsed(&svg);
        let longest = texts(&document).split('|').map(|it| it.trim().chars().count()).max();
        assert!(longest.is_some_and(|count| (40..=80).contains(&count)), "{longest:?}");
        // The whole title is what the picture is called.
        assert!(svg.as_str().contains(&format!("<title>{long}</title>")));
    }
}

#[test]
fn filters_are_pictures_as_many_as_are_readable() {
    let few = Tensor::<(D<9>, D<1>, D<5>, D<5>)>::ones((D, D, D, D));
    let svg = filters("nine", &few).unwrap();
    assert_eq!(named(&parsed(&svg), "image").len(), 9);
    let many = Tensor::<(D<100>, D<20>, D<3>, D<3>)>::zeros((D, D, D, D));
    let svg = filters("many", &many).unwrap();
    let document = parsed(&svg);
    assert_eq!(named(&document, "image").len(), 32 * 16);
    assert!(texts(&document).contains("32 of 100 filters, 16 of 20 channels"));
    let tall = Tensor::<(D<32>, D<2>, D<900>, D<1>)>::zeros((D, D, D, D));
    let svg = filters("tall", &tall).unwrap();
    let height: u32 = parsed(&svg).root_element().attribute("height").unwrap().parse().unwrap();
    assert!(height < 2000, "{height}");
    let bad = Tensor::<(D<1>, D<2>)>::from_vec(vec![f32::NAN, f32::INFINITY]).unwrap();
    parsed(&heat_map("bad", &bad).unwrap());
}

#[test]
fn a_plot_is_a_file() {
    let name = format!("netform-plot-{}.svg", std::process::id());
    let path = std::env::temp_dir().join(name);
    let svg = Plot::new("file").svg().unwrap();
    svg.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), svg.to_string());
    std::fs::remove_file(&path).unwrap();
    let error = svg.save(path.join("no folder.svg")).unwrap_err().to_string();
    assert!(error.contains("no folder.svg"), "{error}");
}
