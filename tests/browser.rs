//! Reports in a real browser, Chromium: no complaints, the curves are there, and it fits a phone.
//!
//! Where there is no Chromium, the tests say that they are skipped; with `NETFORM_REQUIRE_BROWSER=1` they fail.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::Folder;
use netform::data::{InMemory, Scaling};
use netform::dim::D;
use netform::loss::{CrossEntropy, Mse};
use netform::metric::{F1, Mae};
use netform::optim::Adam;
use netform::random::Seed;
use netform::report::Report;
use netform::train::{History, Trainer};

netform::network! {
    /// Tells light pictures from dark ones.
    Pictures: [1, 8, 8] -> [2] { conv: Conv2d(4, kernel = 3), Relu, Flatten, fc: Linear(2) }

    /// Prices and sizes of houses.
    Houses: [8] -> [2] { fc: Linear(2) }
}

type Samples = InMemory<(D<1>, D<8>, D<8>)>;

/// Names under which Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn browser() -> Option<&'static str> {
    let found = NAMES.into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        assert!(
            std::env::var_os("NETFORM_REQUIRE_BROWSER").is_none_or(|value| value != "1"),
            "NETFORM_REQUIRE_BROWSER is 1, and none of {NAMES:?} runs: install Chromium"
        );
        eprintln!("skipped: none of {NAMES:?} runs");
    }
    found
}

/// What the browser makes of a page, and what it says while it does.
fn open(browser: &str, folder: &Folder, page: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--enable-logging=stderr", "--log-level=0", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.0.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    output
}

fn samples(count: usize, seed: u64) -> Samples {
    let mut rng = netform::random::Rng::new(Seed(seed), 0);
    let labels: Vec<u32> = (0..count as u32).map(|i| i % 2).collect();
    let noisy = |label: u32| 0.06 * label as f32 + rng.uniform() as f32;
    let values = labels.iter().flat_map(|label| [*label; 64]).map(noisy).collect();
    let names = ["dark", "<light>"].map(str::to_owned);
    InMemory::new(values, labels).unwrap().with_class_names(names.to_vec())
}

fn trained(epochs: usize) -> (Pictures, Samples, History) {
    let [train, test] = [samples(64, 1), samples(64, 2)];
    let mut net = Pictures::new(Seed(1));
    let history = Trainer::new(CrossEntropy, Adam::new(5e-3))
        .epochs(epochs)
        .batch(8)
        .validate(&test)
        .metric("f1", F1::macro_average(2))
        .gradient_norms()
        .weight_norms()
        .fit(&mut net, &train)
        .unwrap();
    (net, test, history)
}

/// What is asked of the laid out page, in its own words; the page itself has no scripts.
const QUESTIONS: &str = "<script>addEventListener('load', () => {
const seen = [...document.querySelectorAll('svg')].filter(it => it.getBoundingClientRect().height > 100);
const curves = [...document.querySelectorAll('polyline')].filter(it => it.getAttribute('stroke-width') == '20' && it.getTotalLength() > 500);
const pictures = [...document.images].filter(it => it.naturalWidth == 8 && it.getBoundingClientRect().width > 50);
const small = [...document.querySelectorAll('svg text')].filter(it => it.getBoundingClientRect().height < 8);
document.body.innerHTML = `plots ${seen.length} curves ${curves.length} pictures ${pictures.length} small ${small.length} `
  + `wide ${document.documentElement.scrollWidth > innerWidth} width ${innerWidth} ground ${getComputedStyle(document.body).backgroundColor} `
  + `loads ${performance.getEntriesByType('resource').filter(it => !it.name.startsWith('data:')).length} end`;
})</script>";

/// The page, with the questions after it, in a window as wide as a phone's or a desktop's, light or dark.
fn ask(folder: &Folder, browser: &str, html: &str, width: usize, dark: bool) -> String {
    let policy = html.find("<meta http-equiv").unwrap();
    let end = policy + html[policy..].find('>').unwrap();
    let asked = format!("{}{}{QUESTIONS}", &html[..policy], &html[end + 1..]);
    folder.file("asked.html", asked);
    // A window cannot be as narrow as a phone; a frame can.
    let scheme = if dark { "dark" } else { "light" };
    let text = format!(
        "<!DOCTYPE html><html style=\"color-scheme: {scheme}\"><body><iframe src=\"asked.html\" width=\"{width}\" height=\"800\" \
         onload=\"document.body.innerHTML = this.contentDocument.body.innerHTML\"></iframe></body></html>"
    );
    let frame = folder.file("frame.html", text);
    let scheme = if dark { "0" } else { "1" };
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    let arguments =
        [&scheme[..], "--allow-file-access-from-files", "--window-size=1400,1000", "--dump-dom"];
    let output = open(browser, folder, &frame, &arguments);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_report_is_whole_on_desktop_and_phone_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("browser-whole");
    let (net, test, history) = trained(12);
    let report = Report::new(&history).network(&net).tested(&net, &test).unwrap();
    let html = report.html().unwrap();
    let page = folder.0.join("report.html");
    report.save(&page).unwrap();
    // As it is: with its policy, which forbids all that is not within it, and without a complaint.
    let output = open(browser, &folder, &page, &["--dump-dom"]);
    let dom = String::from_utf8(output.stdout).unwrap();
    let plots = html.matches("<svg ").count();
    assert_eq!(plots, 5, "loss, accuracy, f1, norms of gradients and of weights");
    assert_eq!(dom.matches("</svg>").count(), plots);
    let mistakes = html.matches("<img ").count();
    assert!(mistakes > 0, "nothing was taken for something else: there is nothing to test");
    for (width, dark, ground) in [
        (1280, false, "rgb(255, 255, 255)"),
        (1280, true, "rgb(15, 17, 21)"),
        (390, false, "rgb(255, 255, 255)"),
    ] {
        let answers = ask(&folder, browser, &html, width, dark);
        // Curves: three figures over both kinds of samples, the norm, four parameters.
        let expected = format!(
            "plots {plots} curves 11 pictures {mistakes} small 0 wide false width {width} ground {ground} loads 0 end"
        );
        assert!(answers.contains(&expected), "expected {expected}; found {answers}");
    }
}

#[test]
fn a_report_of_a_regression_fits_desktop_and_phone() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("browser-regression");
    let mut rng = netform::random::Rng::new(Seed(3), 0);
    let inputs: Vec<f32> = (0..8 * 200).map(|_| rng.uniform() as f32).collect();
    let price = |x: &[f32]| [3e5 * x[0] + 1e5 * x[1] * x[2], 120.0 * x[3] - 20.0 * x[4]];
    let targets = inputs.chunks(8).flat_map(price).collect();
    let mut data = InMemory::<(D<8>,), (D<2>,), f32, f32>::new(inputs, targets).unwrap();
    let scaling = Scaling::standard_targets(&data).unwrap();
    scaling.apply_to(data.targets_mut());
    let mut net = Houses::new(Seed(1));
    let history = Trainer::new(Mse, Adam::new(1e-2))
        .epochs(8)
        .batch(20)
        .metric("mae", Mae::new().unscaled(&scaling))
        .fit(&mut net, &data)
        .unwrap();
    let report = Report::new(&history).network(&net).target_scaling(&scaling);
    let report = report.tested_numbers(&net, &data).unwrap();
    let page = folder.0.join("report.html");
    report.save(&page).unwrap();
    open(browser, &folder, &page, &["--dump-dom"]);
    let html = report.html().unwrap();
    for (width, dark, ground) in
        [(1280, true, "rgb(15, 17, 21)"), (390, false, "rgb(255, 255, 255)")]
    {
        let answers = ask(&folder, browser, &html, width, dark);
        // Loss and MAE, and the line of no error in the plot of each output.
        let expected = format!(
            "plots 4 curves 4 pictures 0 small 0 wide false width {width} ground {ground} loads 0 end"
        );
        assert!(answers.contains(&expected), "expected {expected}; found {answers}");
    }
}

#[test]
fn bad_trainings_are_readable_and_can_be_printed() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("browser-bad");
    let mut bad = trained(1).2;
    bad.epochs[0].train_loss = f64::NAN;
    bad.epochs[0].validation_loss = Some(f64::INFINITY);
    let sheet = folder.0.join("sheet.pdf");
    for (history, verdict) in [
        (trained(1).2, "One epoch is too short to say"),
        (History::default(), "there is nothing to judge"),
        (bad, "A loss is NaN in epoch 1"),
    ] {
        let page = folder.0.join("report.html");
        history.save_report(&page).unwrap();
        let print = format!("--print-to-pdf={}", sheet.display());
        open(browser, &folder, &page, &[&print]);
        assert!(fs::read(&sheet).unwrap().starts_with(b"%PDF"));
        let dom = open(browser, &folder, &page, &["--dump-dom"]).stdout;
        let dom = String::from_utf8(dom).unwrap();
        assert!(dom.contains(verdict), "{verdict} in {dom}");
    }
}
