//! Real servers as origins: what their own failures look like through the edge, and that nobody else is blamed.

mod apache;
mod bodies;
mod certificates;
mod crowd;
mod dying;
mod grpc;
mod gunicorn;
mod http2;
mod http2_origins;
mod nginx;
mod node;
mod php;
mod restarts;
mod scene;
mod tomcat;
mod websocket;
mod websocket_http2;
