"""Static front ends: a build in its bucket behind CloudFront, its versions kept, rolled back on demand."""
