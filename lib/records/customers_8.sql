-- The plan of a customer's site: one of its pictures, and where on it assets are, from 0 to 1.
ALTER TABLE picture ADD COLUMN plan INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX picture_plan ON picture (customer) WHERE plan <> 0;
ALTER TABLE asset ADD COLUMN plan_x TEXT;
ALTER TABLE asset ADD COLUMN plan_y TEXT;
