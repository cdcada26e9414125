//! Listening: what a server says on a channel, on a connection of its own.
//!
//! Ticks carry nothing and many that nobody took are one: a tick says "look again". Deliberately absent: the payload.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to reach a server beside the pool.
pub(crate) struct Server {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: MakeRustlsConnect,
}

/// Something may have happened. Ends never; dropping it ends the connection.
#[derive(Debug)]
pub struct Ticks(mpsc::Receiver<()>);

impl Stream for Ticks {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.poll_recv(context)
    }
}

/// Longest pause between two attempts to reach a server.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(crate) fn start(server: Arc<Server>, channel: &'static str) -> Ticks {
    // One place: a tick that waits stands for all that follow.
    let (ticks, received) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut pause = Duration::from_millis(50);
        loop {
            let lost = tokio::select! {
                () = ticks.closed() => return,
                lost = hear(&server, channel, &ticks, &mut pause) => lost,
            };
            tracing::debug!(error = ?lost.err().map(|error| error.to_string()), "the listening connection was lost");
            tokio::select! {
                () = ticks.closed() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    });
    Ticks(received)
}

/// Ticks until the connection is lost.
async fn hear(
    server: &Server,
    channel: &str,
    ticks: &mpsc::Sender<()>,
    pause: &mut Duration,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = server.config.connect(server.tls.clone()).await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let begin = format!("listen {channel}");
    let mut listening = std::pin::pin!(client.batch_execute(&begin));
    let mut is_listening = false;
    loop {
        tokio::select! {
            begun = &mut listening, if !is_listening => {
                begun?;
                is_listening = true;
                *pause = Duration::from_millis(50);
                let _ = ticks.try_send(());
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => drop(ticks.try_send(())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}
