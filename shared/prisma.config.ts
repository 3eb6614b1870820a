import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Only the migrate commands connect; generate and validate need no database.
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost:5432/indbakke' },
});
