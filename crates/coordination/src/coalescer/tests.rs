use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::*;

/// A read that waits for the test: its line, its questions, and where to put its end.
struct Begun {
    line: &'static str,
    questions: Vec<u32>,
    end: oneshot::Sender<Result<u32, StoreError>>,
}

type Subject = Coalescer<&'static str, u32, u32>;

/// Makes a coalescer whose reads the test ends.
fn coalescer(questions: usize) -> (Subject, mpsc::UnboundedReceiver<Begun>) {
    let (announce, begun) = mpsc::unbounded_channel();
    let sharing = Sharing { name: "test", questions };
    let read = move |line, questions| {
        let (end, ended) = oneshot::channel();
        announce.send(Begun { line, questions, end }).ok();
        async move { ended.await.unwrap() }
    };
    (Coalescer::new(sharing, read), begun)
}

type Asked = tokio::task::JoinHandle<Result<u32, StoreError>>;

/// Asks, and returns once the question stands in the line or a reader was started for it.
async fn ask(subject: &Subject, line: &'static str, question: u32) -> Asked {
    let subject = subject.clone();
    let asked = tokio::spawn(async move { subject.ask(line, question).await });
    tokio::task::yield_now().await;
    asked
}

#[tokio::test]
async fn who_waits_at_the_same_moment_shares_a_read() {
    let (subject, mut begun) = coalescer(100);
    let first = ask(&subject, "a", 1).await;
    let read = begun.recv().await.unwrap();
    assert_eq!(read.questions, [1], "whoever is alone does not wait for others");
    let others = [ask(&subject, "a", 2).await, ask(&subject, "a", 3).await];
    read.end.send(Ok(10)).unwrap();
    let next = begun.recv().await.unwrap();
    assert_eq!((next.line, &*next.questions), ("a", &[2, 3][..]));
    next.end.send(Ok(20)).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 10, "a read answers those whom it took alone");
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), 20, "and not by a read that had begun before");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_does_not_hold_the_line_up() {
    let (subject, mut begun) = coalescer(100);
    let first = ask(&subject, "a", 1).await;
    let slow = begun.recv().await.unwrap();
    tokio::time::advance(Subject::SLOW).await;
    let second = ask(&subject, "a", 2).await;
    let quick = begun.recv().await.unwrap();
    assert_eq!(quick.questions, [2], "another reader was called");
    let third = ask(&subject, "a", 3).await;
    assert!(begun.try_recv().is_err(), "who is at work for a moment only");
    quick.end.send(Ok(2)).unwrap();
    let next = begun.recv().await.unwrap();
    assert_eq!(next.questions, [3]);
    slow.end.send(Ok(1)).unwrap();
    let fourth = ask(&subject, "a", 4).await;
    assert!(begun.try_recv().is_err(), "who was slow has gone, for there is another now");
    next.end.send(Ok(3)).unwrap();
    begun.recv().await.unwrap().end.send(Ok(4)).unwrap();
    for (asked, expected) in [first, second, third, fourth].into_iter().zip(1..) {
        assert_eq!(asked.await.unwrap().unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_has_few_readers_however_slow_they_are() {
    let (subject, mut begun) = coalescer(100);
    let mut asked = Vec::new();
    for question in 0..10 {
        asked.push(ask(&subject, "a", question).await);
        tokio::time::advance(Subject::SLOW).await;
    }
    let mut reads = Vec::new();
    for _ in 0..Subject::READERS {
        reads.push(begun.recv().await.unwrap());
    }
    assert!(begun.try_recv().is_err());
    reads.pop().unwrap().end.send(Ok(0)).unwrap();
    assert_eq!(begun.recv().await.unwrap().questions, [4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_read_takes_as_many_questions_as_it_may() {
    let (subject, mut begun) = coalescer(2);
    let mut asked = Vec::new();
    for question in 0..6 {
        asked.push(ask(&subject, "a", question).await);
    }
    let mut seen = Vec::new();
    while seen.len() < 6 {
        let read = begun.recv().await.unwrap();
        assert!(read.questions.len() <= 2);
        seen.extend(read.questions);
        read.end.send(Ok(0)).unwrap();
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5], "in the order in which they were asked");
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn lines_do_not_wait_for_each_other() {
    let (subject, mut begun) = coalescer(100);
    let slow = ask(&subject, "slow", 1).await;
    let held = begun.recv().await.unwrap();
    let quick = ask(&subject, "quick", 2).await;
    let read = begun.recv().await.unwrap();
    assert_eq!(read.line, "quick");
    read.end.send(Ok(7)).unwrap();
    assert_eq!(quick.await.unwrap().unwrap(), 7);
    held.end.send(Ok(8)).unwrap();
    assert_eq!(slow.await.unwrap().unwrap(), 8);
}

#[tokio::test]
async fn a_failed_read_fails_those_whom_it_took_and_nobody_else() {
    let (subject, mut begun) = coalescer(100);
    let first = ask(&subject, "a", 1).await;
    let read = begun.recv().await.unwrap();
    let others = [ask(&subject, "a", 2).await, ask(&subject, "a", 3).await];
    read.end.send(Ok(10)).unwrap();
    let failing = begun.recv().await.unwrap();
    let late = ask(&subject, "a", 4).await;
    failing.end.send(Err(StoreError::Unavailable("nobody there".into()))).unwrap();
    begun.recv().await.unwrap().end.send(Ok(30)).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 10);
    for other in others {
        let error = other.await.unwrap().unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert_eq!(kernel::causes(&error), "the store is unavailable: nobody there");
    }
    assert_eq!(late.await.unwrap().unwrap(), 30);
}

#[tokio::test]
async fn a_read_that_panics_leaves_its_reader_free() {
    let reads = AtomicUsize::new(0);
    let sharing = Sharing { name: "test", questions: 100 };
    let read = move |(), _: Vec<()>| {
        let is_first = reads.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            assert!(!is_first, "a defect");
            Ok(1)
        }
    };
    let subject = Coalescer::new(sharing, read);
    assert!(matches!(subject.ask((), ()).await, Err(StoreError::Internal(_))));
    assert_eq!(subject.ask((), ()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_harms_nobody() {
    let (subject, mut begun) = coalescer(100);
    let taken = ask(&subject, "a", 1).await;
    let read = begun.recv().await.unwrap();
    let (gone, stays) = (ask(&subject, "a", 2).await, ask(&subject, "a", 3).await);
    for left in [taken, gone] {
        left.abort();
        assert!(left.await.unwrap_err().is_cancelled());
    }
    read.end.send(Ok(10)).unwrap();
    let next = begun.recv().await.unwrap();
    assert_eq!(next.questions, [3], "what nobody waits for is not read");
    next.end.send(Ok(20)).unwrap();
    assert_eq!(stays.await.unwrap().unwrap(), 20);
}

#[tokio::test(start_paused = true)]
async fn whoever_gets_no_answer_is_told_so_in_time() {
    let (subject, mut begun) = coalescer(100);
    let first = ask(&subject, "a", 1).await;
    let _silent = begun.recv().await.unwrap();
    let asked_at = Instant::now();
    let waiting = ask(&subject, "a", 2).await;
    for asked in [first, waiting] {
        assert!(matches!(asked.await.unwrap(), Err(StoreError::Unavailable(_))));
    }
    assert_eq!(asked_at.elapsed(), Subject::LONGEST_WAIT, "also who stood behind the silent read");
}

#[tokio::test]
async fn a_line_in_which_nobody_waits_is_forgotten() {
    let (subject, mut begun) = coalescer(100);
    for question in 0..3 {
        let asked = ask(&subject, "a", question).await;
        begun.recv().await.unwrap().end.send(Ok(question)).unwrap();
        assert_eq!(asked.await.unwrap().unwrap(), question);
    }
    while !subject.0.lines().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_question_is_answered_by_a_read_that_began_after_it() {
    let clock = Arc::new(AtomicUsize::new(0));
    let reading = clock.clone();
    let sharing = Sharing { name: "test", questions: 7 };
    let subject = Coalescer::new(sharing, move |(), questions: Vec<usize>| {
        let begun = reading.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            Ok(Arc::new(questions.into_iter().map(|question| (question, begun)).collect::<HashMap<_, _>>()))
        }
    });
    let asking = (0..500).map(|question| {
        let (subject, clock) = (subject.clone(), clock.clone());
        async move {
            for _ in 0..question % 5 {
                tokio::task::yield_now().await;
            }
            let asked = clock.load(Ordering::SeqCst);
            let begun = subject.ask((), question).await.unwrap()[&question];
            assert!(begun >= asked, "question {question}, asked at {asked}, was read at {begun}");
        }
    });
    futures_util::future::join_all(asking).await;
    assert!(clock.load(Ordering::SeqCst) < 500, "some shared a read");
}
