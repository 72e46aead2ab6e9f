//! The threads that read what was: few, each with its own connections, beside the lane.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, oneshot};

use super::past::PastReader;
use crate::StoreError;

/// Threads, so that one long read does not hold up a short one.
const READERS: usize = 2;

/// Reads that wait or are under way. What comes beyond is refused at once.
const QUEUED_READS_MAX: usize = 1_024;

/// One read: it answers whoever asked.
type Job = Box<dyn FnOnce(&mut PastReader) + Send>;

/// The front of the threads' queue. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct PastReaders {
    /// `None` once it is time to end.
    queue: Option<mpsc::Sender<Job>>,
    room: Semaphore,
    threads: Vec<JoinHandle<()>>,
}

impl PastReaders {
    /// Opens the files for each thread and starts it.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(PastReader::open(directory)?);
        }
        let (queue, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let threads = readers.into_iter().map(|reader| {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new()
                .name("past".to_owned())
                .spawn(move || work(reader, &jobs))
                .expect("the system starts a thread at start-up")
        });
        Ok(Self {
            threads: threads.collect(),
            queue: Some(queue),
            room: Semaphore::new(QUEUED_READS_MAX),
        })
    }

    /// Reads on one of the threads.
    ///
    /// Errors: [`StoreError::Unavailable`] where too many wait already; else those of the read.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut PastReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _room = self
            .room
            .try_acquire()
            .map_err(|_| StoreError::Unavailable)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // A caller who has gone away does not want the answer.
            if !reply.is_closed() {
                let _ = reply.send(read(reader));
            }
        });
        let queue = self.queue.as_ref().ok_or(StoreError::Unavailable)?;
        queue.send(job).map_err(|_| StoreError::Unavailable)?;
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

impl Drop for PastReaders {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn work(mut reader: PastReader, jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(&mut reader),
            Err(mpsc::RecvError) => return,
        }
    }
}
